"""An imported post is never more public than the strictest rule of any tool allows."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.extensions import db
from app.publishing.importing import frontmatter
from app.publishing.importing.configuration import Tool
from app.publishing.importing.folder import import_folder
from app.publishing.importing.publication.decision import decide, flatten
from app.publishing.importing.publication.rules import RULES
from app.publishing.importing.publication.state import Publication, State
from app.publishing.models import Post, Status

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ROWS = tomllib.loads(Path(__file__).with_name("publication_rows.toml").read_text())["row"]
DOCS = Path(__file__).parents[3] / "docs" / "writing.md"


def decide_row(row: dict[str, Any], front: str | None = None) -> Publication:
    """Return the decision about the front matter of a row."""
    document = frontmatter.split(f"---\n{front or row['front']}\n---\nText.\n")
    tool = Tool(row["tool"]) if "tool" in row else None
    return decide(flatten(document.values), now=NOW, tool=tool)


def row_name(row: dict[str, Any]) -> str:
    """Name a row by its front matter and its tool."""
    return f"{row.get('tool', 'any')}: {row['front']}".replace("\n", ", ")


@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_a_key_leads_to_its_state(row: dict[str, Any]) -> None:
    """The state and the remark of each row."""
    publication = decide_row(row)
    assert publication.state.name.lower() == row["state"]
    sentences = " ".join(reason.sentence for reason in publication.remarks)
    assert row.get("remark", "") in sentences


@given(st.lists(st.sampled_from(ROWS), max_size=5), st.data())
def test_the_strictest_key_wins_in_any_case(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Several keys together, in random case, are as strict as the strictest of them."""
    by_key = {
        row["front"].partition(":")[0].lower(): row
        for row in rows
        if "tool" not in row and "\n" not in row["front"]
    }
    lines = []
    for row in by_key.values():
        key, _, value = row["front"].partition(":")
        letters = data.draw(st.lists(st.booleans(), min_size=len(key), max_size=len(key)))
        pairs = zip(key, letters, strict=True)
        lines.append("".join(c.upper() if upper else c.lower() for c, upper in pairs) + ":" + value)
    together = decide_row({}, "\n".join(lines) or "title: a").state
    assert together >= max(
        (decide_row(row).state for row in by_key.values()), default=State.PUBLISHED
    )


def test_a_password_is_never_printed() -> None:
    """The remark names the key, not its value."""
    publication = decide_row({}, "password: hunter2\nprotected: hunter2")
    assert publication.state is State.DRAFT
    assert "hunter2" not in " ".join(reason.sentence for reason in publication.remarks)


def test_every_key_is_documented() -> None:
    """The table in docs/writing.md has each key, its tools and its effect, and no other."""
    text = DOCS.read_text(encoding="utf-8")
    section = text.partition("## Which posts are public")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    expected_rows = [
        f"| {', '.join(f'`{key}`' for key in rule.keys)} | {rule.tools} | {rule.effect} |"
        for rule in RULES
    ]
    assert [row for row in rows if "Date" not in row] == expected_rows


@pytest.mark.parametrize(
    ("front", "status"),
    [
        ("publishDate: 2031-01-01\ndate: 2020-01-01", Status.SCHEDULED),
        ("expiryDate: 2020-01-01\ndate: 2019-01-01", Status.ARCHIVED),
        ("hidden: true", Status.DRAFT),
        ("Draft: true\nTitle: X\nDate: 2020-01-01\nSlug: y", Status.DRAFT),
        ("date: 2020-01-01", Status.PUBLISHED),
    ],
)
def test_the_state_is_what_readers_get(
    app: Flask, tmp_path: Path, front: str, status: Status
) -> None:
    """The decision reaches the database, and its reason the report."""
    (tmp_path / "a.md").write_text(f"---\n{front}\n---\nText.\n")
    report = import_folder(tmp_path, now=NOW)
    assert statuses() == {status}
    if status == Status.ARCHIVED or "hidden" in front:
        assert [remark.path for remark in report.warnings] == ["a.md"]


def statuses() -> set[Status]:
    """The statuses of all posts."""
    return set(db.session.scalars(sa.select(Post.status)))
