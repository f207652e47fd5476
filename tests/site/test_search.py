from __future__ import annotations

import pytest
from flask import Flask

from app.site.templating import marked

from .html import problems


def test_search_shows_what_it_found_with_the_words_marked(site_app: Flask) -> None:
    """The article, its snippet, and the words in the form again."""
    html = site_app.test_client().get("/search?q=brackets").text
    assert "/articles/lanterns" in html
    assert "<mark>brackets</mark>" in html
    assert 'value="brackets"' in html


def test_a_snippet_is_escaped(site_app: Flask) -> None:
    """Markup in a text is shown, not run."""
    html = site_app.test_client().get("/search?q=note").text
    assert "<b>" not in html


ODD = [
    '"',
    "<script>",
    "a\0b",
    "%00",
    "x" * 3000,
    "AND OR NOT",
    "'; DROP TABLE post; --",
    "🦀",
    "\u202e",
]


@pytest.mark.parametrize("typed", ODD, ids=[repr(typed[:12]) for typed in ODD])
def test_whatever_is_typed_is_answered(site_app: Flask, typed: str) -> None:
    """No input is an error, and none becomes markup."""
    answer = site_app.test_client().get("/search", query_string={"q": typed}, follow_redirects=True)
    assert answer.status_code == 200
    assert problems(answer.text) == []


def test_an_empty_search_shows_the_form(site_app: Flask) -> None:
    """Nothing typed is no error."""
    answer = site_app.test_client().get("/search")
    assert answer.status_code == 200
    assert 'name="q"' in answer.text


def test_nothing_found_says_where_else_to_look(site_app: Flask) -> None:
    """The archive and the topics."""
    assert "Nothing here has these words" in site_app.test_client().get("/search?q=zzz").text


def test_an_unbalanced_mark_is_dropped() -> None:
    """A text that holds the marks' own characters can't leave one open."""
    assert marked("a \x02b\x03 c") == "a <mark>b</mark> c"
    assert marked("a \x02b <c>") == "a b &lt;c&gt;"
