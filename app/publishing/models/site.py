"""The site's own settings, which writers change and pages show."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from app.extensions import Model
from app.publishing.site_settings import BY_COLUMN, Kind


def _setting(name: str) -> MappedColumn[Any]:
    """Return the column of a setting, with the type and the default of the table of settings."""
    setting = BY_COLUMN[name]
    if setting.kind is Kind.IMAGE:
        return mapped_column(sa.ForeignKey("media.id"))
    default = list if isinstance(setting.default, tuple) else setting.default
    return mapped_column(setting.type, default=default, server_default=_server_default(default))


def _server_default(default: Any) -> Any:
    """Return the default of a column for the rows that are there when it is added."""
    if isinstance(default, bool):
        return sa.true() if default else sa.false()
    return "[]" if default is list else str(default) or sa.text("''")


class Site(Model):
    """The one row of settings that pages show; `app/publishing/site_settings.py` explains each."""

    __tablename__ = "site"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    title: Mapped[str] = mapped_column(BY_COLUMN["title"].type)
    tagline: Mapped[str] = mapped_column(BY_COLUMN["tagline"].type, default="")
    description: Mapped[str] = mapped_column(BY_COLUMN["description"].type, default="")
    language: Mapped[str] = mapped_column(BY_COLUMN["language"].type, default="en")
    time_zone: Mapped[str] = _setting("time_zone")
    logo_id: Mapped[int | None] = _setting("logo_id")
    logo_dark_id: Mapped[int | None] = _setting("logo_dark_id")
    icon_id: Mapped[int | None] = _setting("icon_id")
    social_image_id: Mapped[int | None] = _setting("social_image_id")
    accent: Mapped[str] = _setting("accent")
    accent_dark: Mapped[str] = _setting("accent_dark")
    footer_text: Mapped[str] = _setting("footer_text")
    footer_html: Mapped[str] = mapped_column(sa.Text, default="", server_default=sa.text("''"))
    """The rendered `footer_text`."""
    footer_links: Mapped[list[dict[str, str]]] = _setting("footer_links")
    posts_per_page: Mapped[int] = _setting("posts_per_page")
    copyright: Mapped[str] = _setting("copyright")
    profiles: Mapped[list[str]] = _setting("profiles")
    content_signal: Mapped[str] = _setting("content_signal")
    content_usage: Mapped[str] = _setting("content_usage")
    security_contact: Mapped[str] = _setting("security_contact")
    security_expires: Mapped[str] = _setting("security_expires")
    emoji: Mapped[bool] = _setting("emoji")
    smart_punctuation: Mapped[bool] = _setting("smart_punctuation")
    slugs: Mapped[str] = _setting("slugs")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
