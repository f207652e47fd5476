"""The site's own settings, which writers change and pages show."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model


class Site(Model):
    """The one row of settings that pages show."""

    __tablename__ = "site"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    title: Mapped[str] = mapped_column(sa.String(200))
    tagline: Mapped[str] = mapped_column(sa.String(300), default="")
    description: Mapped[str] = mapped_column(sa.Text, default="")
    language: Mapped[str] = mapped_column(sa.String(35), default="en")
    """A language tag (BCP 47)."""
    emoji: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether `:smile:` in a text becomes an emoji; takes effect when a post is rendered."""
    smart_punctuation: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether quotes, dashes and dots become typographic; takes effect as `emoji` does."""
    slugs: Mapped[str] = mapped_column(sa.String(10), default="ascii", server_default="ascii")
    """How slugs are made of titles: `ascii` or `unicode` (in the title's own script)."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
