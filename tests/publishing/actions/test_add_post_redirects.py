"""Redirects of many old paths at once have the result of `add_redirect` for each of them."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft, PostRedirect
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Kind, Redirect
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction


def redirects() -> dict[str, tuple[int | None, str | None]]:
    """Return all redirects by their old paths."""
    rows = db.session.execute(sa.select(Redirect.source, Redirect.post_id, Redirect.target))
    return {source: (post_id, target) for source, post_id, target in rows}


def add_both(
    wanted: list[tuple[str, int]], now: datetime
) -> list[tuple[list[str], dict[str, tuple[int | None, str | None]]]]:
    """Add the redirects together, and one after another; undo both, and return their results."""
    results = []
    for is_together in (True, False):
        errors: list[str] = []
        session = db.session()
        with pytest.raises(ZeroDivisionError), transaction():
            if is_together:
                every = [PostRedirect(source=source, post_id=post_id) for source, post_id in wanted]
                errors = [
                    str(error) for error in actions.add_post_redirects(every, now=now, actor=SYSTEM)
                ]
            else:
                for source, post_id in wanted:
                    try:
                        actions.add_redirect(source, post_id=post_id, now=now, actor=SYSTEM)
                        errors.append("None")
                    except ValueError as error:
                        errors.append(str(error))
            session.flush()
            results.append((errors, redirects()))
            raise ZeroDivisionError
    return results


def test_many_redirects_are_added_like_single_ones(app: Flask, now: datetime) -> None:
    """New, repeated, taken, invalid and chained paths, and paths of posts, end the same."""
    first = actions.create(Draft(title="First"), now=now, publish=True, actor=SYSTEM).id
    second = actions.create(Draft(title="Second", kind=Kind.PAGE), now=now, actor=SYSTEM).id
    actions.add_redirect("/taken", target="/elsewhere", now=now, actor=SYSTEM)
    actions.add_redirect("/chain", target="/middle", now=now, actor=SYSTEM)
    actions.add_redirect("/mine", post_id=first, now=now, actor=SYSTEM)
    wanted = [
        *(("/new", first), ("/New/", first), ("/new", second), ("/taken", first)),
        *(("/mine", first), ("/mine", second), ("/middle", second), ("/", first)),
        *(("/articles/first", second), ("/articles/first", first), ("/second", first)),
        *(("/second", second), ("/a?b=1", first), ("/../x", first), ("/" + "x" * 501, first)),
    ]
    together, alone = add_both(wanted, now)
    assert together == alone
    assert together[1]["/new"] == (first, None)
    assert together[1]["/chain"] == (second, None)
    assert together[0].count("None") == 5


def test_a_redirect_to_a_post_that_does_not_exist_is_refused(app: Flask, now: datetime) -> None:
    """The caller has passed a wrong number; nothing is added."""
    with pytest.raises(Missing, match="does not exist"):
        actions.add_post_redirects([PostRedirect(source="/a", post_id=99)], now=now, actor=SYSTEM)
    assert redirects() == {}


def test_no_redirects_are_no_error(app: Flask, now: datetime) -> None:
    """A batch without old addresses adds nothing."""
    assert actions.add_post_redirects([], now=now, actor=SYSTEM) == []


def test_a_path_that_another_user_has_just_redirected_is_named_alone(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses the batch; then each redirect is added by itself."""
    post = actions.create(Draft(title="First"), now=now, publish=True, actor=SYSTEM).id
    actions.add_redirect("/b", target="/elsewhere", now=now, actor=SYSTEM)
    batch = import_module("app.publishing.actions.add_post_redirects")
    load = batch._load

    def load_without_the_other(*arguments: Any) -> Any:
        rows = load(*arguments)
        rows.targets.pop("/b")
        return rows

    monkeypatch.setattr(batch, "_load", load_without_the_other)
    every = [PostRedirect(source=source, post_id=post) for source in ("/a", "/b", "/c")]
    errors = actions.add_post_redirects(every, now=now, actor=SYSTEM)
    assert [type(error) for error in errors] == [type(None), Conflict, type(None)]
    db.session.rollback()
    assert redirects() == {"/a": (post, None), "/b": (None, "/elsewhere"), "/c": (post, None)}
