"""A converter drops statuses; the export beside its folder tells them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.publishing.importing.export_statuses import ExportFileError, find_statuses

WXR = """<?xml version="1.0"?><rss xmlns:wp="http://wordpress.org/export/1.2/"><channel>{}</channel></rss>"""


def item(slug: str, status: str, password: str = "", kind: str = "post") -> str:
    """An item of a WXR file."""
    return (
        f"<item><title>t</title><wp:post_name>{slug}</wp:post_name><wp:status>{status}</wp:status>"
        f"<wp:post_type>{kind}</wp:post_type><wp:post_password>{password}</wp:post_password>"
        "<wp:comment><wp:comment_author_email>a@b.c</wp:comment_author_email></wp:comment></item>"
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("publish", None),
        ("private", "DRAFT"),
        ("pending", "DRAFT"),
        ("draft", "DRAFT"),
        ("future", "SCHEDULED"),
        ("trash", "DRAFT"),
        ("", "DRAFT"),
    ],
)
def test_a_status_of_wordpress_decides(tmp_path: Path, status: str, state: str | None) -> None:
    """Whether the export lies in the folder or beside it."""
    folder = tmp_path / "posts"
    folder.mkdir()
    (tmp_path / "export.xml").write_text(WXR.format(item("a", status) + item("b", "publish")))
    statuses = find_statuses(folder)
    assert statuses is not None
    reason = statuses.find_reason("A")
    assert (reason.state.name if reason else None) == state
    assert statuses.find_reason("b") is None


def test_a_password_and_an_encoded_slug_are_read(tmp_path: Path) -> None:
    """The password itself is in no sentence; an attachment is no post."""
    items = item("%C3%A9t%C3%A9", "publish", "hunter2") + item("pic", "inherit", kind="attachment")
    (tmp_path / "x.xml").write_text(WXR.format(items))
    statuses = find_statuses(tmp_path)
    assert statuses is not None
    reason = statuses.find_reason("été")
    assert reason is not None
    assert "hunter2" not in reason.sentence
    assert statuses.find_reason("pic") is None


def ghost(**tables: Any) -> str:
    """An export of Ghost."""
    return json.dumps({"db": [{"meta": {}, "data": {"posts": [], **tables}}]})


@pytest.mark.parametrize(
    ("post", "tables", "state"),
    [
        ({"status": "published", "visibility": "public"}, {}, None),
        ({"status": "published"}, {}, None),
        ({"status": "draft"}, {}, "DRAFT"),
        ({"status": "sent"}, {}, "DRAFT"),
        ({"status": "scheduled"}, {}, "SCHEDULED"),
        ({}, {}, "DRAFT"),
        ({"status": "published", "visibility": "members"}, {}, "DRAFT"),
        ({"status": "published"}, {"posts_meta": [{"post_id": 1, "email_only": True}]}, "DRAFT"),
        ({"status": "published"}, {"posts_products": [{"post_id": 1}]}, "DRAFT"),
        ({"status": "published"}, {"settings": [{"key": "is_private", "value": "true"}]}, "DRAFT"),
    ],
)
def test_a_status_of_ghost_decides(
    tmp_path: Path, post: dict[str, Any], tables: dict[str, Any], state: str | None
) -> None:
    """Status, visibility, e-mail only, paid, and a private site."""
    text = ghost(posts=[{"id": 1, "slug": "a", **post}], **tables)
    (tmp_path / "ghost.json").write_text(text)
    statuses = find_statuses(tmp_path)
    assert statuses is not None
    reason = statuses.find_reason("a")
    assert (reason.state.name if reason else None) == state


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xml", WXR.format(item("a", "draft"))[:-9]),
        ("a.xml", '<!DOCTYPE rss [<!ENTITY x "y">]>' + WXR.format("")[21:]),
        ("a.json", ghost()[:-2]),
    ],
)
def test_an_export_that_cannot_be_read_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    """The sentence names the file: nothing may be published without it."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ExportFileError, match=name):
        find_statuses(tmp_path)


def test_other_files_are_no_exports(tmp_path: Path) -> None:
    """A sitemap, a package.json and an empty folder."""
    (tmp_path / "sitemap.xml").write_text("<urlset/>")
    (tmp_path / "package.json").write_text('{"name": "x"}')
    assert find_statuses(tmp_path) is None
