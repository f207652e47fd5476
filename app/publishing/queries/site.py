"""The site's own settings.

Each query loads only the columns that its pages show, so that a change of one setting purges only
the pages that show it. A site without a row has the defaults.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from app.extensions import db
from app.publishing.looks.look import Picture
from app.publishing.models import Media, MediaFile, Site
from app.publishing.site_settings import BY_COLUMN

_SHOWN_WIDTH = 960
_ON_EVERY_PAGE = (
    *(Site.title, Site.tagline, Site.description, Site.language),
    *(Site.logo_id, Site.logo_dark_id, Site.icon_id, Site.accent, Site.accent_dark),
    *(Site.footer_html, Site.footer_links, Site.copyright, Site.profiles),
    Site.content_usage,
)
_SHOWN = load_only(*_ON_EVERY_PAGE, raiseload=True)


def settings() -> Site:
    """Return the settings that every HTML page shows."""
    statement = sa.select(Site).where(Site.id == 1).options(_SHOWN)
    return db.session.scalar(statement) or default_site()


def default_site() -> Site:
    """Return the settings of a site that has none yet; the row is not saved."""
    values = {
        name: [] if isinstance(setting.default, tuple) else setting.default
        for name, setting in BY_COLUMN.items()
    }
    return Site(**values, footer_html="")


def columns(*names: str) -> tuple[Any, ...]:
    """Return these settings alone, for a page that is no HTML page of the site."""
    selected = [getattr(Site, name) for name in names]
    row = db.session.execute(sa.select(*selected).where(Site.id == 1)).one_or_none()
    return tuple(row) if row is not None else tuple(BY_COLUMN[name].default for name in names)


def _value(column: Any, default: Any) -> Any:
    value = db.session.scalar(sa.select(column).where(Site.id == 1))
    return default if value is None else value


def time_zone() -> str:
    """Return the name of the site's time zone."""
    return str(_value(Site.time_zone, BY_COLUMN["time_zone"].default))


def posts_per_page() -> int:
    """Return how many articles a numbered page lists."""
    return int(_value(Site.posts_per_page, BY_COLUMN["posts_per_page"].default))


def social_image_id() -> int | None:
    """Return the image that other sites show with a link, if one is given."""
    return _value(Site.social_image_id, None)  # type: ignore[no-any-return]  # a column of this type


def picture(media_id: int | None) -> Picture | None:
    """Return an image of the site; None if none is set, or if its row is gone."""
    if media_id is None:
        return None
    shown = (MediaFile.fingerprint, MediaFile.name, MediaFile.width, MediaFile.height)
    statement = sa.select(*shown, MediaFile.content_type, MediaFile.original)
    rows = db.session.execute(
        statement.where(MediaFile.media_id == media_id).order_by(MediaFile.width, MediaFile.id)
    ).all()
    original = next((row for row in rows if row.original), None)
    if original is None:
        return None
    best = next((row for row in rows if row.width >= _SHOWN_WIDTH), rows[-1])
    return Picture(
        media_id=media_id,
        path=f"/media/{original.fingerprint}/{original.name}",
        shown_path=f"/media/{best.fingerprint}/{best.name}",
        width=original.width,
        height=original.height,
        content_type=original.content_type,
    )


def image_content(media_id: int) -> bytes | None:
    """Return the bytes of an image of the site."""
    statement = sa.select(MediaFile.content).join(Media, Media.id == MediaFile.media_id)
    return db.session.scalar(statement.where(Media.id == media_id, MediaFile.original))


def stored_columns() -> dict[str, Any]:
    """Return all settings by their columns, for the form that changes them."""
    return dict(zip(BY_COLUMN, columns(*BY_COLUMN), strict=True))


def stored_version() -> int | None:
    """Return the version of the settings, None if they were never saved."""
    return db.session.scalar(sa.select(Site.version).where(Site.id == 1))


def list_images(limit: int = 500) -> list[tuple[int, str]]:
    """Return the newest images with name and size in pixels, and the images that the site uses."""
    values = [value for name, value in stored_columns().items() if name.endswith("_id")]
    site_ids = [value for value in values if value is not None]
    newest = sa.select(Media.id).order_by(Media.id.desc()).limit(limit)
    statement = sa.select(Media.id, Media.name, Media.width, Media.height)
    condition = sa.or_(Media.id.in_(newest), Media.id.in_(site_ids))
    rows = db.session.execute(statement.where(condition).order_by(Media.name, Media.id))
    return [(row.id, f"{row.name} ({row.width} × {row.height})") for row in rows]
