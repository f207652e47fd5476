"""A post: an article or a page, from draft to archive."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Instant
from app.extensions import Model
from app.publishing.slugs import to_path

if TYPE_CHECKING:
    from .author import Author
    from .media import Media
    from .topic import Topic


class Kind(StrEnum):
    """The kind of a post: an article has a date and appears in lists, a page can be in the menu."""

    ARTICLE = "article"
    PAGE = "page"


class Status(StrEnum):
    """The status of a post; only a published post is public."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


def choice(enum: type[StrEnum], name: str) -> sa.Enum:
    """A column type for the values of `enum`, checked by the database too."""
    return sa.Enum(
        enum,
        name=name,
        native_enum=False,
        length=16,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
    )


post_author = sa.Table(
    "post_author",
    Model.metadata,
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("author_id", sa.ForeignKey("author.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False, default=0),
    sa.Index("ix_post_author_author_id_post_id", "author_id", "post_id"),
)
"""Who wrote a post, the first author at position 0."""

post_topic = sa.Table(
    "post_topic",
    Model.metadata,
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("topic_id", sa.ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False, default=0),
    sa.Index("ix_post_topic_topic_id_post_id", "topic_id", "post_id"),
)
"""What a post is about, the first topic at position 0."""


def new_feed_id() -> str:
    """Return an identifier that no other post has, on this site or another."""
    return uuid4().urn


class Post(Model):
    """An article or a page. The text's columns are deferred groups: a list doesn't read bodies."""

    __tablename__ = "post"
    __table_args__ = (
        sa.UniqueConstraint("kind", "slug"),
        sa.Index("ix_post_listed", "kind", "status", "published_at", "id"),
        sa.CheckConstraint(
            "published_at IS NOT NULL OR status NOT IN ('scheduled', 'published')",
            name="dated",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(choice(Kind, "kind"))
    status: Mapped[Status] = mapped_column(choice(Status, "status"), default=Status.DRAFT)
    slug: Mapped[str] = mapped_column(sa.String(100))
    title: Mapped[str] = mapped_column(sa.String(300))
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    language: Mapped[str | None] = mapped_column(sa.String(35))
    """The language of its title and text (BCP 47); None if it is the site's."""
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it became public, or is due to."""
    published_on: Mapped[date | None] = mapped_column(sa.Date)
    """The day of `published_at` in the site's time zone (`editing/local_dates.py`).

    A row that an older release or SQL by hand has inserted is without one: see `local_date`.
    """
    first_published_at: Mapped[datetime | None] = mapped_column(Instant)
    """When readers first saw it: written once, so that it survives a later schedule."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    """When its text last changed, as pages show it."""
    word_count: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int] = mapped_column(default=1, server_default="1")
    """How long it takes to read; it changes less often than the count of its words."""
    menu_position: Mapped[int | None] = mapped_column()
    """The position of a page in the menu; not in the menu when empty."""
    cover_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("media.id", ondelete="SET NULL"), index=True
    )
    cover_alt: Mapped[str] = mapped_column(sa.String(500), default="")
    feed_id: Mapped[str | None] = mapped_column(
        sa.String(500), unique=True, index=True, default=new_feed_id
    )
    """The identifier of its entry in feeds (RFC 4287, 4.2.6): written once, and never changed.

    Only a row that an older release has inserted is without one.
    """
    version: Mapped[int] = mapped_column(default=1)
    """Counts the writes, so that a concurrent edit is noticed."""

    body_html: Mapped[str] = mapped_column(
        sa.Text, default="", deferred=True, deferred_group="body"
    )
    contents: Mapped[list[dict[str, Any]]] = mapped_column(
        sa.JSON, default=list, deferred=True, deferred_group="body"
    )
    """The table of contents: level, id and text of each heading."""
    body_markdown: Mapped[str] = mapped_column(
        sa.Text, default="", deferred=True, deferred_group="source"
    )
    body_text: Mapped[str] = mapped_column(
        sa.Text, default="", deferred=True, deferred_group="text"
    )
    """The words alone, for search."""

    extra_fields: Mapped[dict[str, Any] | None] = mapped_column(
        sa.JSON(none_as_null=True), default=dict, deferred=True, deferred_group="source"
    )
    """The fields of an imported file that have no meaning here; only an export reads them.

    A row of an older release has none.
    """

    authors: Mapped[list[Author]] = relationship(
        secondary=post_author,
        order_by=(post_author.c.position, post_author.c.author_id),
        viewonly=True,
    )
    topics: Mapped[list[Topic]] = relationship(
        secondary=post_topic,
        order_by=(post_topic.c.position, post_topic.c.topic_id),
        viewonly=True,
    )
    cover: Mapped[Media | None] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    @property
    def local_date(self) -> date | None:
        """The day on which it came out, as pages show it."""
        at = self.published_at
        return self.published_on or (at.date() if at is not None else None)

    @property
    def path(self) -> str:
        """Where readers find it."""
        return to_path("/articles/" if self.kind is Kind.ARTICLE else "/", self.slug)
