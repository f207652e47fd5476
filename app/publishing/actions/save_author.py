"""Save an author: create or update it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing import lookups, validation
from app.publishing.editing.rendering import render_text
from app.publishing.editing.slug_style import find_slug_style, require_slug_style
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Author
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.slugs import slugify
from app.publishing.transaction import transaction

from .add_redirect import redirect_moved_path


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorDraft:
    """The fields of an author; an empty slug is made from the name."""

    name: str
    slug: str = ""
    bio_markdown: str = ""
    url: str = ""


def save_author(
    draft: AuthorDraft, *, now: datetime, actor: Actor, author_id: int | None = None
) -> Author:
    """Save the author; a changed slug leaves a redirect, and unchanged fields are not written.

    Raises Forbidden, Invalid, Missing, or Conflict for a slug that another author has.
    """
    values = checked(draft)
    with transaction() as session:
        permit(session, actor, Verb.EDIT_AUTHORS)
        author = _lock_author(session, author_id)
        values["slug"] = values["slug"] or slugify(values["name"], find_slug_style(session))
        check(session, values["slug"], author)
        if author is None:
            author = Author(slug=values["slug"], name=values["name"], bio_markdown="")
            session.add(author)
        old_path = author.path
        if author.bio_markdown != values["bio_markdown"]:
            author.bio_html = render_text(session, values["name"], values["bio_markdown"]).html
        lookups.set_changed(author, values)
        lookups.flush_or_conflict(
            session, f"Another author has just taken the slug {author.slug!r}."
        )
        redirect_moved_path(old_path, author.path, now=now, actor=actor)
        return author


def checked(draft: AuthorDraft) -> dict[str, str]:
    """Return the cleaned columns of the author; raises Invalid."""
    name = validation.clean_line("name", draft.name, limit=200)
    return {
        "name": name,
        "slug": validation.validate_slug(draft.slug) if draft.slug else "",
        "bio_markdown": validation.clean_lines("bio_markdown", draft.bio_markdown, limit=20_000),
        "url": validation.validate_web_url("url", draft.url, limit=500),
    }


def _lock_author(session: Session, author_id: int | None) -> Author | None:
    if author_id is None:
        return None
    author = session.get(Author, author_id, with_for_update=True)
    if author is None:
        raise Missing("The author does not exist; it may have been deleted.")
    return author


def check(session: Session, slug: str, author: Author | None) -> None:
    """Raise Conflict, naming the other author, when the slug is taken; Invalid for its script."""
    if author is None or slug != author.slug:
        require_slug_style(session, slug)
    other = session.scalars(sa.select(Author).where(Author.slug == slug)).one_or_none()
    if other is not None and other is not author:
        raise Conflict(f"The slug {slug!r} belongs to the author “{other.name}”; choose another.")
