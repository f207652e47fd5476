"""What an action would purge is known before it is done, and nothing of it is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.dry_run import pages_touched_by
from app.publishing.errors import Conflict
from app.publishing.models import Kind, Post, Status
from app.publishing.permissions import SYSTEM

from ..site import content

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def draft(any_app: Flask) -> Post:
    """A draft on a site whose pages are registered."""
    content.post("Lanterns", topics=["Harbour"])
    content.post("About", kind=Kind.PAGE, menu_position=1)
    post = actions.create(
        actions.Draft(title="Tides", body_markdown="Text."), now=NOW, actor=SYSTEM
    )
    db.session.refresh(post)
    db.session.remove()
    for path in ("/", "/articles/lanterns", "/about", "/articles/tides"):
        any_app.test_client().get(path)
        db.session.remove()
    return post


def log(app: Flask) -> list[object]:
    """The change log."""
    with db.engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT id FROM edge_change ORDER BY id")))


def test_publishing_would_touch_lists_neighbours_and_the_404(any_app: Flask, draft: Post) -> None:
    """And leaves the draft, and the log, as they are."""
    before = log(any_app)
    publishing = partial(
        actions.publish, draft.id, expected_version=draft.version, now=NOW, actor=SYSTEM
    )
    pages = pages_touched_by(publishing, "Publishing")
    assert {"/", "/articles/lanterns", "/articles/tides"} <= {*pages.urls}
    assert "/about" not in pages.urls
    assert next(iter(pages.to_lines())).startswith("Publishing affects ")
    assert log(any_app) == before
    assert db.session.get_one(Post, draft.id).status is Status.DRAFT


def test_the_action_can_be_done_afterwards(any_app: Flask, draft: Post) -> None:
    """Nothing of the rehearsal stands in its way, and the same pages are touched."""
    publishing = partial(
        actions.publish, draft.id, expected_version=draft.version, now=NOW, actor=SYSTEM
    )
    pages_touched_by(publishing)
    assert publishing().status is Status.PUBLISHED


def test_saving_what_is_there_already_touches_nothing(any_app: Flask, draft: Post) -> None:
    """No change, no page."""
    pages = pages_touched_by(lambda: None, "Nothing")
    assert pages.urls == ()
    assert list(pages.to_lines()) == ["Nothing affects no page that a cache may hold."]


def test_what_the_action_refuses_is_refused(any_app: Flask, draft: Post) -> None:
    """With the same sentence."""
    publishing = partial(actions.publish, draft.id, expected_version=99, now=NOW, actor=SYSTEM)
    with pytest.raises(Conflict, match="Another user has saved"):
        pages_touched_by(publishing)


def test_the_command_lists_pages_or_publishes(any_app: Flask, draft: Post) -> None:
    """A dry run first."""
    result = any_app.test_cli_runner().invoke(args=["content", "publish", "tides", "--dry-run"])
    assert "Publishing 'Tides' affects " in result.output
    assert "  /articles/lanterns" in result.output.splitlines()
    arguments = ["content", "publish", "tides", "--dry-run", "--json"]
    report = json.loads(any_app.test_cli_runner().invoke(args=arguments).output)
    assert "/articles/lanterns" in report["urls"]
    result = any_app.test_cli_runner().invoke(args=["content", "publish", "tides"])
    assert result.output == "Published: /articles/tides\n"
    result = any_app.test_cli_runner().invoke(args=["content", "publish", "tides"])
    assert result.exit_code == 1
    assert "There is no unpublished post 'tides'." in result.output
