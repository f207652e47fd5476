"""Building blocks of the other queries: published posts, orders and loader options.

Lists never load bodies: access to a body, or to a relationship that was not loaded, raises.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, joinedload, load_only, raiseload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.publishing.models import Author, Kind, Media, Post, Status, Topic, post_topic

Posts = sa.Select[Post]

OLDEST_FIRST = (Post.published_at, Post.id)
NEWEST_FIRST = (Post.published_at.desc(), Post.id.desc())

_LINKED = (Post.kind, Post.slug)
_TITLED = (*_LINKED, Post.title, Post.language)
_SUMMED_UP = (*_TITLED, Post.summary, Post.published_at)
DATED = (Post.published_at, Post.published_on)
_LISTED = (*_SUMMED_UP, Post.cover_id)
_DETAILS = (Post.cover_alt, Post.updated_at, Post.word_count)
_IDENTIFIED = (Post.feed_id, Post.created_at)
"""What the identifier in feeds is made from; no write changes it."""
_FED = (*_SUMMED_UP, Post.feed_id, Post.created_at, Post.updated_at, Post.body_html)
_READ = (
    *_LISTED,
    Post.published_on,
    *_DETAILS,
    Post.minutes,
    *_IDENTIFIED,
    Post.body_html,
    Post.contents,
)


def published(kind: Kind) -> Posts:
    """All published posts of a kind, in no order yet."""
    return sa.select(Post).where(Post.kind == kind, Post.status == Status.PUBLISHED)


def articles() -> Posts:
    """All published articles, in no order yet."""
    return published(Kind.ARTICLE)


def for_lists(*, details: bool = False, minutes: bool = False) -> tuple[ExecutableOption, ...]:
    """Load what a list shows: names, first topics, covers; four statements however many posts.

    `details` is for the API: the other topics, the number of words and when each was last changed
    instead of its local date. `minutes` adds the time that it takes to read. A list that does not
    say these is the same when they change.
    """
    more = (*_DETAILS, *_IDENTIFIED) if details else (Post.published_on,)
    columns = (*_LISTED, *more, *((Post.minutes,) if minutes else ()))
    topics = Post.topics if details else Post.topics.and_(post_topic.c.position == 0)
    return (load_only(*columns, raiseload=True), *_around(topics), *_COVER)


def for_results() -> tuple[ExecutableOption, ...]:
    """Load what a search result says, and the text that its snippet is cut from; no cover."""
    topics = Post.topics.and_(post_topic.c.position == 0)
    columns = (*_SUMMED_UP, Post.published_on, Post.body_text)
    return (load_only(*columns, raiseload=True), *_around(topics), raiseload("*"))


def for_feeds(*, cover: bool) -> tuple[ExecutableOption, ...]:
    """Load what an entry of a feed says, its text too; its `cover` only where it is shown."""
    columns = (*_FED, *((Post.cover_id,) if cover else ()))
    with_it = _COVER if cover else (raiseload("*"),)
    return (load_only(*columns, raiseload=True), *_around(Post.topics), *with_it)


def for_reading() -> tuple[ExecutableOption, ...]:
    """Load what an article's own page shows, its body too."""
    return (load_only(*_READ, raiseload=True), *_around(Post.topics), *_COVER)


def for_pages() -> tuple[ExecutableOption, ...]:
    """Load what the page of a page shows: it has neither authors nor topics."""
    return (load_only(*_READ, raiseload=True), *_COVER)


def for_page_lists(*, text: bool = False) -> tuple[ExecutableOption, ...]:
    """Load what the API says of a page, and its `text` where it is shown."""
    columns = (*_TITLED, Post.summary, Post.updated_at, *_IDENTIFIED)
    body = (Post.body_html, Post.contents) if text else ()
    return (load_only(*columns, *body, raiseload=True), raiseload("*"))


def for_source(*, authors_and_topics: bool) -> tuple[ExecutableOption, ...]:
    """Load the Markdown of a post and the facts above it."""
    columns = (*_SUMMED_UP, Post.updated_at, Post.body_markdown)
    names = _around(Post.topics) if authors_and_topics else ()
    return (load_only(*columns, raiseload=True), *names, raiseload("*"))


def _around(topics: Any) -> tuple[ExecutableOption, ...]:
    """Load who wrote an article, and these of its topics."""
    return (
        selectinload(Post.authors).load_only(Author.slug, Author.name, raiseload=True),
        selectinload(topics).load_only(Topic.slug, Topic.name, raiseload=True),
    )


_COVER = (joinedload(Post.cover).selectinload(Media.files), raiseload("*"))


def for_links(*columns: InstrumentedAttribute[Any]) -> tuple[ExecutableOption, ...]:
    """Load the columns of a link's URL, and only those columns of the post that are shown."""
    return (load_only(*_LINKED, *columns, raiseload=True), raiseload("*"))


def for_titles(*columns: InstrumentedAttribute[Any]) -> tuple[ExecutableOption, ...]:
    """Load what a link with the post's title says, and these other columns that are shown."""
    return (load_only(*_TITLED, *columns, raiseload=True), raiseload("*"))
