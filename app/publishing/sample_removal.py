"""Removal of the sample publication: the unchanged posts, and what only they use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from .models import (
    Author,
    Imported,
    Media,
    MediaFile,
    Post,
    Revision,
    Site,
    Status,
    Topic,
    post_author,
    post_topic,
)
from .sample_content import DOCS, SAMPLES
from .transaction import transaction

_SAMPLES = "/app/publishing/samples"
_MEDIA = re.compile(r"/media/([0-9a-f]{20})/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was removed, and the changed sample posts, which stay."""

    posts: int
    images: int
    changed: tuple[str, ...]
    """The paths of the posts that stay."""


def remove_samples() -> Removal:
    """Delete the unchanged sample posts with their redirects, topics, authors and images.

    The row of the site's settings stays, so that the samples are not loaded a second time; its
    texts are emptied where they are those of the samples.
    """
    with transaction() as session:
        rows = [*_sample_posts(session)]
        unchanged = [post for post, record in rows if _is_unchanged(session, post, record)]
        ids = {post.id for post in unchanged}
        changed = tuple(post.path for post, _ in rows if post.id not in ids)
        media_ids = _media_of(session, unchanged)
        _delete_posts(session, ids)
        images = _delete_unused_media(session, media_ids)
        _delete_people_and_topics(session)
        _reset_site(session)
        return Removal(posts=len(ids), images=images, changed=changed)


def _sample_posts(session: Session) -> Iterable[tuple[Post, Imported]]:
    """Return the posts whose files came from the folders of the samples, with their records."""
    query = (
        sa.select(Post, Imported)
        .join(Imported, Imported.post_id == Post.id)
        .options(undefer(Post.body_html))
        .order_by(Post.id)
    )
    pairs = session.execute(query).all()
    folders = _sample_folders({record.folder or "" for _, record in pairs})
    return [(post, record) for post, record in pairs if record.folder in folders]


def _sample_folders(folders: Iterable[str]) -> set[str]:
    """Return the folders of samples and documentation, also those of an installation that moved."""
    parents = {folder[: -len(_SAMPLES)] for folder in folders if folder.endswith(_SAMPLES)}
    return {str(SAMPLES), str(DOCS), *(parent + _SAMPLES for parent in parents)} | {
        f"{parent}/docs" for parent in parents
    }


def _is_unchanged(session: Session, post: Post, record: Imported) -> bool:
    """Tell whether the post has the version that the import gave it.

    A post is saved once, and the menu is a further change. A post of the future is scheduled after
    that, and published by its date.
    """
    query = sa.select(sa.func.count()).select_from(Revision).where(Revision.post_id == post.id)
    if post.status is Status.ARCHIVED or session.scalar(query) != 1:
        return False
    version = 1 + (post.menu_position is not None)
    date = post.published_at
    if post.status is Status.SCHEDULED:
        version += 1
    elif post.status is Status.PUBLISHED and date is not None and date > record.imported_at:
        version += 2
    return post.version == version


def _media_of(session: Session, posts: Iterable[Post]) -> set[int]:
    """Return the images that posts show: their covers, and those in their texts."""
    posts = [*posts]
    covers = {post.cover_id for post in posts if post.cover_id is not None}
    prints = {*chain.from_iterable(_MEDIA.findall(post.body_html) for post in posts)}
    query = sa.select(MediaFile.media_id).where(MediaFile.fingerprint.in_(prints))
    return covers | set(session.scalars(query))


def _delete_posts(session: Session, ids: Collection[int]) -> None:
    """Delete posts; import records, redirects and addresses are deleted by their foreign keys."""
    for column in (Revision.post_id, post_author.c.post_id, post_topic.c.post_id):
        session.execute(sa.delete(column.table).where(column.in_(ids)))
    session.execute(sa.delete(Post).where(Post.id.in_(ids)))
    session.expire_all()


def _delete_unused_media(session: Session, ids: set[int]) -> int:
    """Delete the images that neither a remaining post nor a setting of the site shows."""
    remaining = session.scalars(sa.select(Post).options(undefer(Post.body_html)))
    columns = (Site.logo_id, Site.logo_dark_id, Site.icon_id, Site.social_image_id)
    of_site = {id_ for row in session.execute(sa.select(*columns)) for id_ in row}
    unused = ids - _media_of(session, remaining) - of_site
    session.execute(sa.delete(Media).where(Media.id.in_(unused)))
    return len(unused)


def _delete_people_and_topics(session: Session) -> None:
    """Delete the authors and topics of the samples that have no post and the sample's name."""
    facts = _site_file()
    for model, table, key in (
        (Author, post_author, post_author.c.author_id),
        (Topic, post_topic, post_topic.c.topic_id),
    ):
        names = {entry["slug"]: entry["name"] for entry in facts[f"{model.__name__.lower()}s"]}
        query = sa.select(model.id, model.slug, model.name).where(
            model.slug.in_(names), ~sa.exists().select_from(table).where(key == model.id)
        )
        ids = [row.id for row in session.execute(query) if names[row.slug] == row.name]
        session.execute(sa.delete(model).where(model.id.in_(ids)))


def _reset_site(session: Session) -> None:
    """Empty the tagline and the description if they are those of the samples."""
    site, facts = session.get(Site, 1), _site_file()
    if site is None:
        return
    for name in ("tagline", "description"):
        if getattr(site, name) == facts[name]:
            setattr(site, name, "")


def _site_file() -> dict[str, Any]:
    """Return the content of the samples' `site.toml`."""
    return tomllib.loads((SAMPLES / "site.toml").read_text(encoding="utf-8"))
