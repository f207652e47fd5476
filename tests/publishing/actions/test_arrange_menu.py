from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.errors import Missing
from app.publishing.models import Kind, Post
from app.publishing.permissions import SYSTEM


def menu() -> list[str]:
    """The slugs of the pages in the menu, in order."""
    query = sa.select(Post.slug).where(Post.menu_position.is_not(None))
    return list(db.session.scalars(query.order_by(Post.menu_position)))


def versions() -> dict[str, int]:
    """Return the version of each post by its slug."""
    rows = db.session.execute(sa.select(Post.slug, Post.version))
    return {slug: version for slug, version in rows}  # noqa: C416 - rows are no tuples for mypy


def test_the_menu_holds_exactly_the_pages_that_are_named(
    app: Flask, now: datetime, dump: Callable[[], Any]
) -> None:
    """In their order; arranging it the same way again writes nothing."""
    for slug in ("a", "b", "c"):
        actions.create(Draft(title=slug, slug=slug, kind=Kind.PAGE), now=now, actor=SYSTEM)
    actions.arrange_menu(["c", "a"], actor=SYSTEM)
    assert menu() == ["c", "a"]
    actions.arrange_menu(["b", "c"], actor=SYSTEM)
    assert menu() == ["b", "c"]
    before = dump()
    actions.arrange_menu(["b", "c"], actor=SYSTEM)
    assert dump() == before


def test_a_page_that_is_not_there_leaves_the_menu_as_it_is(app: Flask, now: datetime) -> None:
    """The sentence names it."""
    with pytest.raises(Missing, match="'nowhere'"):
        actions.arrange_menu(["nowhere"], actor=SYSTEM)


def test_a_page_that_keeps_its_place_is_not_written(app: Flask, now: datetime) -> None:
    """Only the pages whose place changes get a new version."""
    names = ("one", "two", "three", "four")
    for name in names:
        draft = Draft(title=name, slug=name, kind=Kind.PAGE)
        actions.create(draft, now=now, publish=True, actor=SYSTEM)
    actions.arrange_menu(names, actor=SYSTEM)
    before = versions()
    actions.arrange_menu(["one", "three", "two", "four"], actor=SYSTEM)
    after = versions()
    assert {slug for slug in names if after[slug] != before[slug]} == {"two", "three"}
