"""The images of the site in the studio, with the texts that show them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from app.extensions import db
from app.publishing.models import (
    Kind,
    Media,
    MediaFile,
    Ownership,
    Post,
    Role,
    WorkingCopy,
)
from app.publishing.permissions import Actor
from app.publishing.slugs import to_path

from . import post_list

PAGE_SIZE = 24
_ADDRESS = re.compile(r"/media/([0-9a-f]{20})/")
_BATCH = 100
"""The number of texts that are in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUse:
    """A text that shows an image: a post, or a working copy.

    `post_id` is None for a post that the actor may only read, at `path`.
    """

    title: str
    post_id: int | None = None
    path: str = ""
    copy_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """An image, and where it is used.

    `hidden_uses` is the number of posts with the image that the actor may not see.
    """

    media: Media
    uses: tuple[MediaUse, ...] = ()
    hidden_uses: int = 0

    @property
    def original(self) -> MediaFile:
        """The original, whose address a text contains."""
        return next(file for file in self.media.files if file.original)

    @property
    def thumbnail(self) -> MediaFile:
        """The smallest file."""
        return self.media.files[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePage:
    """One page of the library, and whether there is another one."""

    images: tuple[ListedImage, ...]
    has_more: bool


def load_page(words: str, page: int, actor: Actor) -> ImagePage:
    """Return the images whose names contain all words, newest first."""
    statement = (
        sa.select(Media)
        .where(*(Media.name.icontains(word, autoescape=True) for word in words.split()))
        .order_by(Media.id.desc())
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
        .options(selectinload(Media.files))
    )
    rows = list(db.session.scalars(statement))
    shown = rows[:PAGE_SIZE]
    uses = find_uses(shown, actor)
    images = tuple(_describe(media, uses[media.id]) for media in shown)
    return ImagePage(images=images, has_more=len(rows) > PAGE_SIZE)


def _describe(media: Media, uses: Collection[tuple[MediaUse, bool]]) -> ListedImage:
    visible = tuple(use for use, is_visible in uses if is_visible)
    return ListedImage(media=media, uses=visible, hidden_uses=len(uses) - len(visible))


def find_uses(
    images: Collection[Media], actor: Actor
) -> Mapping[int, Collection[tuple[MediaUse, bool]]]:
    """Return for each image the texts that show it, and whether the actor may see the text."""
    uses: dict[int, list[tuple[MediaUse, bool]]] = {media.id: [] for media in images}
    media_ids = {file.fingerprint: media.id for media in images for file in media.files}
    if not uses:
        return uses
    for use, is_visible, text, cover_id in (*_posts(uses, actor), *_copies(actor)):
        addresses = set(_ADDRESS.findall(text))
        shown = {media_ids[address] for address in addresses if address in media_ids}
        for media_id in uses.keys() & {*shown, cover_id}:
            uses[media_id].append((use, is_visible))
    return uses


def _posts(
    media_ids: Collection[int], actor: Actor
) -> Iterator[tuple[MediaUse, bool, str, int | None]]:
    """Yield the posts that may show one of the images, with their HTML and cover."""
    shows_image = sa.or_(Post.body_html.contains("/media/"), Post.cover_id.in_(media_ids))
    statement = (
        sa.select(
            Post.id,
            Post.title,
            Post.kind,
            Post.slug,
            Post.body_html,
            Post.cover_id,
            post_list.visible_to(actor).label("is_visible"),
            post_list.owned_by(actor).label("is_own"),
        )
        .where(shows_image)
        .order_by(Post.id.desc())
        .execution_options(yield_per=_BATCH)
    )
    for row in db.session.execute(statement):
        path = to_path("/articles/" if row.kind is Kind.ARTICLE else "/", row.slug)
        post_id = row.id if row.is_own else None
        use = MediaUse(title=row.title, post_id=post_id, path=path)
        yield use, bool(row.is_visible), row.body_html, row.cover_id


def _copies(actor: Actor) -> Iterator[tuple[MediaUse, bool, str, int | None]]:
    """Yield the working copies with their Markdown and cover."""
    statement = (
        sa.select(WorkingCopy, _is_visible_copy(actor).label("is_visible"))
        .order_by(WorkingCopy.id.desc())
        .execution_options(yield_per=_BATCH)
    )
    for copy, is_visible in db.session.execute(statement):
        title = str(copy.fields.get("title") or "") or f"Untitled {copy.kind}"
        text = str(copy.fields.get("body_markdown") or "")
        yield MediaUse(title=title, copy_id=copy.id), bool(is_visible), text, _cover(copy)


def _is_visible_copy(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for the copies that `permit` lets the actor edit."""
    if actor.role is not Role.WRITER:
        return sa.true()
    own_posts = sa.select(Ownership.post_id).where(Ownership.user_id == actor.user_id)
    is_new = WorkingCopy.post_id.is_(None)
    return sa.or_(
        sa.and_(is_new, WorkingCopy.owner_id == actor.user_id), WorkingCopy.post_id.in_(own_posts)
    )


def _cover(copy: WorkingCopy) -> int | None:
    cover_id = copy.fields.get("cover_id")
    return cover_id if isinstance(cover_id, int) else None
