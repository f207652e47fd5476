"""Remove the metadata of images that are stored already: places, names, comments.

An image that changes gets a new digest, and so a new address. Texts that name the old address are
rewritten, and the old address redirects.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-29
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from app.database import Instant
from app.publishing.images import ImageError, remove_metadata

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

_FINGERPRINT = 20
_ADDRESS = re.compile(r"/media/([0-9a-f]{20})/([\w.-]+)")

media = sa.table("media", sa.column("id"), sa.column("digest"))
media_file = sa.table(
    "media_file",
    *map(sa.column, ("id", "media_id", "fingerprint", "name", "size", "width", "original")),
    sa.column("content", sa.LargeBinary),
)
post = sa.table("post", *map(sa.column, ("id", "cover_id", "body_html", "body_markdown")))
redirect = sa.table(
    "redirect", sa.column("source"), sa.column("target"), sa.column("created_at", Instant)
)
_TEXTS = {
    "post": ("body_html", "body_markdown"),
    "revision": ("body_markdown",),
    "author": ("bio_markdown", "bio_html"),
}


def upgrade() -> None:
    connection = op.get_bind()
    originals = sa.select(media_file.c.id).where(media_file.c.original).order_by(media_file.c.id)
    new_paths: dict[str, str] = {}
    for file_id in connection.scalars(originals).all():
        new_paths |= _clean(connection, file_id)
    if new_paths:
        _rewrite_texts(connection, new_paths)
        _add_redirects(connection, new_paths)
        # Edges hold the old files for a year: purge everything.
        op.execute("INSERT INTO edge_change (of_table, op) VALUES ('*', 'E')")


def _clean(connection: sa.Connection, file_id: int) -> Mapping[str, str]:
    """Clean one image; returns its new path by its old one, and of its copies if they move."""
    row = connection.execute(sa.select(media_file).where(media_file.c.id == file_id)).one()
    path = f"/media/{row.fingerprint}/{row.name}"
    try:
        clean = remove_metadata(row.content)
    except ImageError as error:
        log.warning("The metadata of %s could not be removed: %s", path, error)
        return {}
    if clean == row.content:
        return {}
    digest = sha256(clean).hexdigest()
    same = connection.scalar(sa.select(media.c.id).where(media.c.digest == digest))
    if same is not None:
        return _merge(connection, row.media_id, same)
    connection.execute(media.update().where(media.c.id == row.media_id).values(digest=digest))
    fingerprint = digest[:_FINGERPRINT]
    values = {"fingerprint": fingerprint, "content": clean, "size": len(clean)}
    connection.execute(media_file.update().where(media_file.c.id == file_id).values(values))
    return {path: f"/media/{fingerprint}/{row.name}"}


def _merge(connection: sa.Connection, old_id: int, new_id: int) -> Mapping[str, str]:
    """Replace an image by another one that shows the same picture."""
    columns = sa.select(media_file.c.fingerprint, media_file.c.name, media_file.c.width)
    new = connection.execute(columns.where(media_file.c.media_id == new_id)).all()
    old = connection.execute(columns.where(media_file.c.media_id == old_id)).all()
    by_width = {row.width: f"/media/{row.fingerprint}/{row.name}" for row in new}
    widest = by_width[max(by_width)]
    connection.execute(post.update().where(post.c.cover_id == old_id).values(cover_id=new_id))
    connection.execute(media_file.delete().where(media_file.c.media_id == old_id))
    connection.execute(media.delete().where(media.c.id == old_id))
    paths = {f"/media/{row.fingerprint}/{row.name}": by_width.get(row.width, widest) for row in old}
    return {source: target for source, target in paths.items() if source != target}


def _rewrite_texts(connection: sa.Connection, new_paths: Mapping[str, str]) -> None:
    """Name the new addresses in every text."""
    for name, columns in _TEXTS.items():
        table = sa.table(name, sa.column("id"), *map(sa.column, columns))
        has_media = sa.or_(*(table.c[column].contains("/media/") for column in columns))
        ids = connection.scalars(sa.select(table.c.id).where(has_media)).all()
        for row_id in ids:
            row = connection.execute(sa.select(table).where(table.c.id == row_id)).one()
            texts = {column: getattr(row, column) for column in columns}
            new = {column: _rewrite(text, new_paths) for column, text in texts.items()}
            if new != texts:
                connection.execute(table.update().where(table.c.id == row_id).values(new))


def _rewrite(text: str, new_paths: Mapping[str, str]) -> str:
    return _ADDRESS.sub(lambda match: new_paths.get(match[0], match[0]), text)


def _add_redirects(connection: sa.Connection, new_paths: Mapping[str, str]) -> None:
    now = datetime.now(UTC)
    existing_sources = set(connection.scalars(sa.select(redirect.c.source)))
    rows = {
        old.lower(): new for old, new in new_paths.items() if old.lower() not in existing_sources
    }
    for source, target in rows.items():
        values = {"source": source, "target": target, "created_at": now}
        connection.execute(redirect.insert().values(values))


def downgrade() -> None:
    """What was removed can't be brought back; the images stay as they are."""
