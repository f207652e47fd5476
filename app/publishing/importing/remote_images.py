"""The images of one post that lie on other sites: fetched now, or by an earlier import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing import text
from app.publishing.editing import images
from app.publishing.editing.images import PreparedImage
from app.publishing.editing.rendering import image_of
from app.publishing.errors import Invalid
from app.publishing.models import Media, RemoteImage
from app.publishing.models.remote_image import MAX_URL

from .image_fetcher import FetchError, ImageFetcher

_DRY_RUN = "a dry run requests nothing from other sites"


@dataclass(slots=True, kw_only=True)
class RemoteImages:
    """Images by their URLs; `errors` says why some were not fetched."""

    images: dict[str, text.Image] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    new_images: dict[str, PreparedImage] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        """What the digest of an import contains of these images."""
        return tuple(f"{url} {digest}" for url, digest in sorted(self.digests.items()))


def is_remote(url: str) -> bool:
    """Tell whether a reference leads to another site."""
    return url.lower().startswith(("http://", "https://", "//"))


def find_images(
    session: Session, urls: Iterable[str], fetcher: ImageFetcher | None, *, dry_run: bool
) -> RemoteImages:
    """Return the images that are stored, and fetch others from the hosts that are named."""
    result = RemoteImages()
    for url in dict.fromkeys(url for url in urls if is_remote(url)):
        media = _stored(session, url)
        if media is not None:
            result.images[url], result.digests[url] = image_of(media.files), media.digest
        elif fetcher is not None and fetcher.accepts(url):
            try:
                _fetch(session, url, fetcher, result, dry_run=dry_run)
            except (FetchError, Invalid) as error:
                result.errors[url] = str(error)
    return result


def _stored(session: Session, url: str) -> Media | None:
    statement = sa.select(Media).join(RemoteImage, RemoteImage.media_id == Media.id)
    return session.scalars(statement.where(RemoteImage.url == url)).one_or_none()


def _fetch(
    session: Session, url: str, fetcher: ImageFetcher, result: RemoteImages, *, dry_run: bool
) -> None:
    if dry_run:
        raise FetchError(_DRY_RUN)
    if len(url) > MAX_URL:
        raise FetchError(f"its URL has more than {MAX_URL} characters")
    session.rollback()  # a slow host must not keep a transaction open
    content = images.remove_metadata(fetcher.fetch(url))
    name = PurePosixPath(unquote(urlsplit(url).path)).name or "image"
    prepared = images.prepare(content, name)
    result.new_images[url] = prepared
    result.digests[url] = sha256(content).hexdigest()
    media = images.find_media(session, result.digests[url])
    result.images[url] = images.image_of(prepared) if media is None else image_of(media.files)


def store(session: Session, remote: RemoteImages, *, now: datetime) -> None:
    """Write the images that are new, and remember the URL of each."""
    for url, image in remote.new_images.items():
        media = images.store(image, now=now)
        row = session.scalars(sa.select(RemoteImage).where(RemoteImage.url == url)).one_or_none()
        if row is None:
            session.add(RemoteImage(url=url, media_id=media.id, fetched_at=now))
    session.flush()
