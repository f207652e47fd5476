"""Arrange the menu: which pages it lists, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.publishing.errors import Missing
from app.publishing.models import Kind, Post
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def arrange_menu(slugs: Sequence[str], *, actor: Actor) -> None:
    """List exactly these pages in the menu.

    Raises Forbidden, and Missing for a page that does not exist.
    """
    with transaction() as session:
        permit(session, actor, Verb.EDIT_PAGES)
        is_affected = Post.slug.in_(slugs) | Post.menu_position.is_not(None)
        pages = session.scalars(
            sa.select(Post).where(Post.kind == Kind.PAGE, is_affected).with_for_update()
        ).all()
        page_slugs = {page.slug for page in pages}
        for slug in slugs:
            if slug not in page_slugs:
                raise Missing(f"There is no page {slug!r} for the menu.")
        if _menu_of(pages) == [*slugs]:
            return  # positions with gaps stay: they are those of the imported files
        places = {slug: place for place, slug in enumerate(slugs, 1)}
        for page in pages:
            if page.menu_position != places.get(page.slug):
                page.menu_position = places.get(page.slug)


def _menu_of(pages: Sequence[Post]) -> list[str]:
    """Return the slugs of the pages that the menu lists now, in its order."""
    listed = [(page.menu_position, page.slug) for page in pages if page.menu_position is not None]
    return [slug for _, slug in sorted(listed)]
