"""Steps of writing in a browser without scripts, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.models import Post, WorkingCopy
from app.publishing.permissions import SYSTEM

from .people import Browser, find_fields

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def begin(browser: Browser, kind: str = "article") -> int:
    """Begin a new post; return the id of its working copy."""
    answer = browser.post("/studio/posts", {"kind": kind})
    assert answer.status_code == 303
    return int(str(answer.location).rpartition("/")[2])


def json_of(response: TestResponse) -> Any:
    """Return the JSON of a response."""
    return response.json


def read_public(browser: Browser, path: str) -> TestResponse:
    """Open a public page; rows that the test has loaded are none of its dependencies."""
    db.session.remove()
    return browser.get(path)


def edit(browser: Browser, copy_id: int) -> dict[str, str]:
    """Open the editor; return the fields of its form."""
    page = browser.get(f"/studio/copies/{copy_id}")
    assert page.status_code == 200, page.text
    form = page.text.partition('<form id="editor"')[2].partition("</form>")[0]
    return find_fields(form)


def save(browser: Browser, copy_id: int, **fields: Any) -> TestResponse:
    """Change fields in the editor and press Save."""
    form = edit(browser, copy_id)
    return browser.post(f"/studio/copies/{copy_id}", {**form, **fields})


def copy_of(copy_id: int) -> WorkingCopy:
    """Return the working copy as the database has it."""
    db.session.rollback()
    statement = sa.select(WorkingCopy).where(WorkingCopy.id == copy_id)
    return db.session.scalars(statement.execution_options(populate_existing=True)).one()


def open_post(title: str = "First light", *, is_public: bool = True) -> Post:
    """Return a post without an owner, which is published unless `published` is false."""
    draft = Draft(title=title, body_markdown="One two three.\n\nFour five six.")
    post = actions.create(draft, now=NOW, actor=SYSTEM)
    if not is_public:
        return post
    return actions.publish(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
