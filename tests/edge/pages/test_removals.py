"""Hard purges: a row may have left a page by its old image, found by its values or by its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position
from app.edge.changes.change import Change, Op
from app.edge.dependencies import Dependency, Interval, Part, Range, Row, Table
from app.edge.pages.resolve import find_affected_pages

from .conftest import register_page

BY_KEY = Row(table="post", key=(("id", "1"),), columns=frozenset({"title", "status", "at"}))
LIVE = Range(
    table="post", equalities=(("status", "live"),), referenced_columns=frozenset({"status"})
)
SINCE = Range(
    table="post",
    referenced_columns=frozenset({"at"}),
    interval=Interval(column="at", low=10, high=20),
)
PAGES: dict[str, Iterable[Dependency]] = {
    "/key": [BY_KEY],
    "/live": [LIVE],
    "/since": [SINCE],
    "/table": [Table(table="post")],
    "/part": [Part(kind="template", name="a.html", digest="1")],
}


def image(number: int = 1, status: str = "live", at: int | None = 15) -> dict[str, Any]:
    """Return the image of a post."""
    return {"id": number, "status": status, "at": at}


def update(old: dict[str, Any], new: dict[str, Any], *columns: str) -> Change:
    """Return an update of these columns."""
    columns_changed = frozenset(columns)
    return Change(table="post", op=Op.UPDATE, old=old, new=new, changed_columns=columns_changed)


OLD_PART = {"name": "a.html", "digest": "1"}
CASES: dict[str, tuple[Change, dict[str, bool]]] = {
    "an edited title": (
        update(image(), image(), "title"),
        {"/key": False, "/table": True},
    ),
    "a status that other pages compare": (
        update(image(), image(status="draft"), "status"),
        {"/key": True, "/live": True, "/table": True},
    ),
    "a status that enters a list": (
        update(image(status="draft"), image(), "status"),
        {"/key": True, "/live": False, "/table": True},
    ),
    "an instant that other pages compare": (
        update(image(), image(at=99), "at"),
        {"/key": True, "/since": True, "/table": True},
    ),
    "an instant that enters an interval": (
        update(image(at=99), image(), "at"),
        {"/key": True, "/since": False, "/table": True},
    ),
    "an instant that becomes NULL": (
        update(image(), image(at=None), "at"),
        {"/key": True, "/since": True, "/table": True},
    ),
    "a row of another key": (
        update(image(2), image(2, "draft"), "status"),
        {"/live": True, "/table": True},
    ),
    "a column that no page but one reads": (
        update(image(), image(), "body"),
        {"/table": True},
    ),
    "a deleted row": (
        Change(table="post", op=Op.DELETE, old=image()),
        {"/key": True, "/live": True, "/since": True, "/table": True},
    ),
    "an inserted row": (
        Change(table="post", op=Op.INSERT, new=image()),
        {"/key": False, "/live": False, "/since": False, "/table": False},
    ),
    "a replaced template": (
        Change(table="part:template", op=Op.DELETE, old=OLD_PART),
        {"/part": False},
    ),
    "another table": (Change(table="author", op=Op.DELETE, old=image()), {}),
}


@pytest.mark.parametrize(("change", "outcome"), CASES.values(), ids=CASES)
def test_a_page_that_may_have_lost_a_row_is_purged_hard(
    engine: Engine, change: Change, outcome: dict[str, bool]
) -> None:
    """Each affected page is purged; hard only if its row may have been hidden or deleted."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        for url, dependencies in PAGES.items():
            register_page(connection, url, dependencies, mark=at)
        pages = find_affected_pages(connection, [change]).pages
    assert {page.url: page.hard_purge for page in pages} == outcome


def test_an_edited_text_removes_no_row_from_a_list_beside_it(engine: Engine) -> None:
    """The page is purged softly, because its list does not depend on the edited column."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        register_page(connection, "/both", [BY_KEY, LIVE], mark=at)
        pages = find_affected_pages(connection, [update(image(), image(), "title")]).pages
    assert [page.hard_purge for page in pages] == [False]
