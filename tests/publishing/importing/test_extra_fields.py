from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.extensions import db
from app.publishing import actions
from app.publishing.export import export_folder
from app.publishing.importing.extra_fields import MAX_SIZE, select_fields, to_toml
from app.publishing.importing.folder import import_folder
from app.publishing.importing.post_meta import is_private
from app.publishing.models import Post
from app.publishing.permissions import SYSTEM

FILE = """---
title: A post
date: 2020-01-01
mood: "calm\\x7f \\" €"
count: 3
Rating: 4.5
flags: [true, ~, [1, {deep: "x", token: "t"}]]
series: {name: "Bread", order: 1, Author_Email: "kim@example.org", meta: {a: 1}}
"a name": ""
comments: [{author: "Kim", ip: "127.0.0.1"}]
visibility: members
params: {theme: dark, description: "from params", draft: true, apiKey: "s3"}
---
Text.
"""

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_fields_without_a_meaning_survive_import_and_export(
    app: Flask, empty_app: Callable[[], Flask], tmp_path: Path, now: datetime
) -> None:
    """They are exported, without private ones, and an export of the import has the same bytes."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "a-post.md").write_text(FILE)
    import_folder(source, now=now)
    post = db.session.scalars(sa.select(Post)).one()
    actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
    export_folder(tmp_path / "first")
    text = (tmp_path / "first/articles/a-post.md").read_text()
    fields = tomllib.loads(text.split("+++")[1])
    assert {name: fields[name] for name in ("mood", "count", "Rating", "a name")} == {
        "mood": 'calm\x7f " €',
        "count": "3",
        "Rating": "4.5",
        "a name": "",
    }
    assert fields["flags"] == ["true", ["1", {"deep": "x"}]]
    assert fields["series"] == {"name": "Bread", "order": "1"}
    assert fields["params"] == {"theme": "dark"}
    assert not {"comments", "visibility"} & fields.keys()
    with empty_app().app_context():
        assert import_folder(tmp_path / "first", now=now).skipped == []
        export_folder(tmp_path / "second")
        db.session.remove()
        db.engine.dispose()
    assert files_of(tmp_path / "second") == files_of(tmp_path / "first")


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_stored_fields_become_toml_that_reads_the_same(extra: dict[str, Any]) -> None:
    """Whatever a file holds, the lines of an export are TOML and hold the stored values."""
    fields, _ = select_fields(extra)
    assert tomllib.loads("".join(to_toml(fields))) == fields
    assert select_fields(fields)[0] == fields


@pytest.mark.parametrize(
    "name",
    [
        *("user_email", "e-mail", "Emails", "authorIP", "ip_address", "API_KEY", "APIKey"),
        *("api-keys", "accessToken", "login", "clientSecret", "password", "Meta", "comments"),
    ],
)
def test_private_keys_are_removed_at_every_level(name: str) -> None:
    """A key with a private word is not stored at the top, in a table, or in a list of tables."""
    table = {name: "x", "kept": 1}
    extra = {**table, "table": {"inner": table}, "list": [[table]]}
    expected = {"kept": 1, "table": {"inner": {"kept": 1}}, "list": [[{"kept": 1}]]}
    assert select_fields(extra)[0] == expected


@pytest.mark.parametrize("name", ["keywords", "description", "ship", "tips", "monkey", "metadata"])
def test_words_that_only_contain_a_private_word_are_stored(name: str) -> None:
    """The word "keywords" is not a key, and "ship" is not an IP address."""
    assert not is_private(name)


def test_dates_are_stored_as_text() -> None:
    """JSON has no dates; the field keeps its ISO form."""
    instant = datetime(2020, 1, 1, tzinfo=UTC)
    fields, _ = select_fields({"day": date(2020, 1, 2), "at": instant})
    assert fields == {"day": "2020-01-02", "at": "2020-01-01T00:00:00+00:00"}


def test_fields_beyond_the_limit_are_named(app: Flask, tmp_path: Path, now: datetime) -> None:
    """A field that exceeds 64 KiB is left out with its line; a later small one is stored."""
    front = f"date: 2020-01-01\nlarge: {'é' * (MAX_SIZE // 6)}\nsmall: 1"
    (tmp_path / "p.md").write_text(f"---\ntitle: p\n{front}\n---\nText.\n")
    report = import_folder(tmp_path, now=now)
    assert [str(one) for one in report.warnings] == [
        "p.md:4: the field large is not stored: all such fields together exceed 64 KiB"
    ]
    assert db.session.scalars(sa.select(Post)).one().extra_fields == {"small": "1"}
