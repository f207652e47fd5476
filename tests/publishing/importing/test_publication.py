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


def write_site(root: Path, files: dict[str, str]) -> None:
    """Write the files of an old site."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


POST = "---\ntitle: A\ndate: 2020-01-01\n---\nText.\n"
SITES: dict[str, tuple[dict[str, str], Status | None]] = {
    "Hugo cascade": (
        {
            "hugo.toml": "baseURL = 'https://e.com/'\n",
            "content/blog/_index.md": "+++\n[cascade]\ndraft = true\n+++\n",
            "content/blog/a.md": POST,
        },
        Status.DRAFT,
    ),
    "Hugo configuration": (
        {"hugo.toml": "[cascade.build]\nrender = 'never'\n", "content/a.md": POST},
        Status.DRAFT,
    ),
    "Hugo bundle": (
        {"hugo.toml": "", "content/a/index.md": "---\ndraft: true\n---\nx", "content/a/b.md": POST},
        Status.DRAFT,
    ),
    "Jekyll defaults": (
        {
            "_config.yml": "defaults:\n- scope: {path: _posts}\n  values: {published: false}\n",
            "_posts/2020-01-01-a.md": POST,
        },
        Status.DRAFT,
    ),
    "Jekyll without a date": ({"_config.yml": "title: x\n", "_posts/a.md": POST}, Status.DRAFT),
    "Jekyll excluded": (
        {"_config.yml": "exclude: [old]\n", "old/_posts/2020-01-01-a.md": POST},
        None,
    ),
    "Zola section": (
        {
            "config.toml": "base_url = 'https://e.com'\n",
            "content/s/_index.md": "+++\ndraft = true\n+++\n",
            "content/s/a.md": "+++\ntitle = 'A'\ndate = 2020-01-01\n+++\nText.\n",
        },
        Status.DRAFT,
    ),
    "Pelican default": (
        {
            "pelicanconf.py": "PATH = 'content'\nDEFAULT_METADATA = {'status': 'draft'}\n",
            "content/a.md": POST,
        },
        Status.DRAFT,
    ),
    "Eleventy data": (
        {
            "eleventy.config.js": "export default {}\n",
            "posts/posts.json": '{"draft": true}',
            "posts/a.md": POST,
        },
        Status.DRAFT,
    ),
    "Hugo cascade of a language": (
        {
            "hugo.toml": "",
            "content/b/_index.fa.md": "---\ncascade: {draft: true}\n---\n",
            "content/b/a.md": POST,
        },
        Status.DRAFT,
    ),
    "Hugo bundle of a language": (
        {
            "hugo.toml": "",
            "content/b/index.fa.md": "---\ndraft: true\n---\nx",
            "content/b/a.md": POST,
        },
        Status.DRAFT,
    ),
    "Hugo below a bundle": (
        {
            "hugo.toml": "",
            "content/b/index.md": "---\ndraft: true\n---\nx",
            "content/b/c/d.md": POST,
        },
        Status.DRAFT,
    ),
    "archetype": ({"hugo.toml": "", "content/a.md": "---\ntitle: '{{ x }}'\n---\nx"}, None),
    "README in a folder of Hugo": ({"hugo.toml": "", "content/b/README.md": "# Notes\n\nx"}, None),
    "Hugo without front matter": (
        {"hugo.toml": "", "content/a.md": "# Title\n\nx"},
        Status.PUBLISHED,
    ),
    "Pelican headers": (
        {
            "pelicanconf.py": "PATH = 'content'\n",
            "content/a.md": "Title: A\nDate: 2020-01-01\nStatus: hidden\n\nText.\n",
        },
        Status.DRAFT,
    ),
    "public": ({"hugo.toml": "", "content/a.md": POST}, Status.PUBLISHED),
}


@pytest.mark.parametrize(("files", "status"), SITES.values(), ids=SITES)
def test_what_a_site_says_of_all_its_posts_holds(
    app: Flask, tmp_path: Path, files: dict[str, str], status: Status | None
) -> None:
    """Cascades, defaults, data files and places reach the post; None: it is not imported."""
    write_site(tmp_path, files)
    import_folder(tmp_path, now=NOW)
    expected = set() if status is None else {status}
    assert statuses() == expected


def test_a_converted_folder_asks_for_its_export(app: Flask, tmp_path: Path) -> None:
    """Without the export one remark warns; with it the statuses hold."""
    post = "---\ntitle: A\ndate: 2020-01-01\ncoverImage: a.png\n---\nText.\n"
    write_site(tmp_path, {"posts/a.md": post})
    report = import_folder(tmp_path, now=NOW)
    assert [r.sentence for r in report.warnings if "private, pending" in r.sentence]
    assert statuses() == {Status.PUBLISHED}
    db.session.rollback()
    item = (
        "<item><wp:post_type>post</wp:post_type><wp:post_name>a</wp:post_name>"
        "<wp:status>private</wp:status></item>"
    )
    export = f'<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel>{item}</channel></rss>'
    write_site(tmp_path, {"export.xml": export})
    report = import_folder(tmp_path, now=NOW)
    assert statuses() == {Status.DRAFT}
    assert not [r.sentence for r in report.warnings if "private, pending" in r.sentence]


def test_a_new_default_of_the_site_reaches_unchanged_files(app: Flask, tmp_path: Path) -> None:
    """A post that the site hides from now on is held back by the next import."""
    write_site(tmp_path, {"_config.yml": "title: x\n", "_posts/2020-01-01-a.md": POST})
    import_folder(tmp_path, now=NOW)
    assert statuses() == {Status.PUBLISHED}
    db.session.rollback()
    defaults = "defaults:\n- scope: {path: _posts}\n  values: {hidden: true}\n"
    write_site(tmp_path, {"_config.yml": defaults})
    import_folder(tmp_path, now=NOW)
    assert statuses() == {Status.DRAFT}
