"""All pages, public or not, in the order of the menu."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Kind, Post, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuPage:
    """A page, and its position in the menu if it has one."""

    id: int
    slug: str
    title: str
    status: Status
    position: int | None


def list_pages() -> list[MenuPage]:
    """Return the pages in the menu, in its order, then the others by their titles."""
    columns = (Post.id, Post.slug, Post.title, Post.status, Post.menu_position)
    rows = db.session.execute(sa.select(*columns).where(Post.kind == Kind.PAGE))
    pages = [
        MenuPage(id=page_id, slug=slug, title=title, status=status, position=position)
        for page_id, slug, title, status, position in rows
    ]
    return sorted(pages, key=_sort_key)


def _sort_key(page: MenuPage) -> tuple[bool, int, str]:
    """The menu sorts equal positions by slug, as `arrange_menu` does."""
    if page.position is None:
        return (True, 0, page.title.casefold())
    return (False, page.position, page.slug)
