"""Uploaded images: check, scale and store them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing import images
from app.publishing.errors import Invalid
from app.publishing.models import Media, MediaFile
from app.publishing.text import Image
from app.publishing.transaction import transaction

from . import lookups, rendering

FINGERPRINT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """An image that has been checked and scaled, but not stored."""

    content: images.CleanImage
    info: images.ImageInfo
    copies: tuple[images.EncodedRendition, ...]


def find_media(session: Session, digest: str) -> Media | None:
    """Return the stored image with this digest, or None."""
    return session.scalars(sa.select(Media).where(Media.digest == digest)).one_or_none()


def remove_metadata(content: bytes) -> images.CleanImage:
    """Return the image without its metadata; raises Invalid for a file that is refused."""
    try:
        return images.remove_metadata(content)
    except images.ImageError as error:
        raise Invalid("image", str(error)) from None


def prepare(content: images.CleanImage, name: str) -> PreparedImage:
    """Check the image and create its smaller copies; slow, but needs no database."""
    try:
        info, copies = images.inspect_and_scale(content, name)
        return PreparedImage(content=content, info=info, copies=copies)
    except images.ImageError as error:
        raise Invalid("image", str(error)) from None


def image_of(image: PreparedImage) -> Image:
    """Return the image as a text will show it after it is stored."""
    return rendering.image_of(_files(image, media_id=0))


def store(image: PreparedImage, *, now: datetime) -> Media:
    """Write the image and its copies, unless another transaction has done it."""
    info = image.info
    with transaction() as session:
        existing = find_media(session, info.digest)
        if existing is not None:
            return existing
        media = Media(
            digest=info.digest,
            name=info.name,
            content_type=info.media_type,
            width=info.width,
            height=info.height,
            created_at=now,
        )
        session.add(media)
        lookups.flush_or_conflict(
            session, "Another user has just uploaded the same image; try again."
        )
        session.add_all(_files(image, media_id=media.id))
        session.flush()
        return media


def _files(image: PreparedImage, media_id: int) -> list[MediaFile]:
    info = image.info
    original = MediaFile(
        media_id=media_id,
        fingerprint=info.digest[:FINGERPRINT],
        name=info.name,
        content_type=info.media_type,
        width=info.width,
        height=info.height,
        size=info.size,
        original=True,
        content=image.content,
    )
    return [original, *(_copy(copy, info.name, media_id) for copy in image.copies)]


def _copy(copy: images.EncodedRendition, name: str, media_id: int) -> MediaFile:
    return MediaFile(
        media_id=media_id,
        fingerprint=copy.digest[:FINGERPRINT],
        name=f"{name.rpartition('.')[0]}-{copy.width}.webp",
        content_type=copy.media_type,
        width=copy.width,
        height=copy.height,
        size=len(copy.data),
        content=copy.data,
    )
