"""A post as a Markdown file: its front matter and its links."""

from __future__ import annotations

import pytest
import yaml

from app.publishing.markdown_files import markdown_file
from app.publishing.models import Kind

from .test_feeds import article

SITE = "https://example.com"


def split(text: str) -> tuple[dict[str, object], str]:
    """Return the front matter and the text of a file."""
    start, front, body = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(front), body


def test_the_front_matter_names_the_post_and_its_url() -> None:
    """It is YAML, and the dates are those of the feeds."""
    facts, body = split(markdown_file(article(body_markdown="Some *text*."), SITE))
    assert facts == {
        "title": "A title",
        "url": "https://example.com/articles/a-title",
        "description": "In short.",
        "date": "2026-01-02T03:04:05+00:00",
        "lastmod": "2026-02-03T00:00:00+00:00",
        "authors": ["Ada"],
        "topics": ["Ink"],
    }
    assert body == "\nSome *text*.\n"


def test_a_page_has_neither_date_nor_authors() -> None:
    """Its own page shows none of them."""
    page = article(kind=Kind.PAGE, body_markdown="x", language="de", summary="")
    facts, _ = split(markdown_file(page, SITE))
    assert [*facts] == ["title", "url", "lastmod", "lang"]
    assert facts["url"] == "https://example.com/a-title"


TITLES = [
    '"quoted": yes',
    "---",
    "a: b # c",
    "\u2028line\x85next",
    "del\x7f",
    "\\n",
    "- x",
    "é 日本",
]


@pytest.mark.parametrize("title", TITLES)
def test_any_title_survives_the_front_matter(title: str) -> None:
    """A YAML parser reads the title that was written."""
    text = markdown_file(article(title=title, body_markdown="---\nx"), SITE)
    front = text.removeprefix("---\n").partition("\n---\n")[0]
    assert yaml.safe_load(front)["title"] == title


LINKS = [
    ("[a](/archive)", "[a](https://example.com/archive)"),
    ("![a](/media/x/a.jpg)", "![a](https://example.com/media/x/a.jpg)"),
    ("[a](other)", "[a](https://example.com/articles/other)"),
    ("[a](#notes)", "[a](#notes)"),
    ("[a](https://o.example/x)", "[a](https://o.example/x)"),
    ("[a](mailto:a@o.example)", "[a](mailto:a@o.example)"),
    ("[a](http://[x)", "[a](http://[x)"),
    ("`[a](/archive)`", "`[a](/archive)`"),
    ('<img src="/media/a.jpg">', '<img src="https://example.com/media/a.jpg">'),
    ("[a]\n\n[a]: /archive", "[a]\n\n[a]: https://example.com/archive"),
]


@pytest.mark.parametrize(("source", "expected"), LINKS, ids=[source for source, _ in LINKS])
def test_links_of_a_markdown_file_are_absolute(source: str, expected: str) -> None:
    """The file is read elsewhere; code is left as it is."""
    _, body = split(markdown_file(article(body_markdown=source), SITE))
    assert body.strip() == expected
