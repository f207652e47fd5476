"""A post keeps the identifier that the feed of its old site gave it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.publishing.importing.configuration import Tool
from app.publishing.importing.feed_ids import feed_id_at, find_explicit_id

AT = datetime(2020, 3, 4, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "identifier"),
    [
        ({"guid": "https://e.com/?p=20"}, "https://e.com/?p=20"),
        ({"GUID": "abc"}, "abc"),
        ({"feed_id": "tag:e.com,2020:1"}, "tag:e.com,2020:1"),
        ({"id": "urn:uuid:1"}, "urn:uuid:1"),
        ({"id": 12}, ""),
        ({"id": "introduction"}, ""),
        ({"wordpress_url": "http://e.com/?p=3"}, "http://e.com/?p=3"),
        (
            {"blogger_id": "tag:blogger.com,1999:blog-1.post-2"},
            "tag:blogger.com,1999:blog-1.post-2",
        ),
        ({"id": "urn:a:b", "guid": "g"}, "g"),
        ({"guid": ""}, ""),
        ({"guid": None}, ""),
        ({"guid": "x" * 501}, ""),
        ({"guid": "a\nb"}, ""),
        ({}, ""),
    ],
)
def test_front_matter_states_the_identifier(fields: dict[str, Any], identifier: str) -> None:
    """The strongest key wins; what no feed can have given is passed over."""
    assert find_explicit_id(fields) == identifier


@pytest.mark.parametrize(
    ("tool", "url", "identifier"),
    [
        (Tool.HUGO, "https://e.com/posts/a/", "https://e.com/posts/a/"),
        (Tool.ZOLA, "https://e.com/a/", "https://e.com/a/"),
        (Tool.JEKYLL, "https://e.com/2020/03/04/a.html", "https://e.com/2020/03/04/a"),
        (Tool.JEKYLL, "https://e.com/a/", "https://e.com/a"),
        (Tool.PELICAN, "https://e.com/a.html", "tag:e.com,2020-03-04:/a.html/"),
        (None, "https://e.com/a", "https://e.com/a"),
    ],
)
def test_each_tool_has_its_own_form(tool: Tool | None, url: str, identifier: str) -> None:
    """An absolute address, or what the tool makes of it."""
    assert feed_id_at(url, tool=tool, date=AT) == identifier
