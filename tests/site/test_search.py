from __future__ import annotations

import re

import pytest
from flask import Flask

from app.edge.flask.routes import routes
from app.publishing.search.snippets import Piece
from app.publishing.transaction import transaction
from app.site.templating import marked

from . import content
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


def test_every_piece_of_a_snippet_is_escaped() -> None:
    """Markup in a text is shown, whether a word of it matches or not."""
    pieces = [Piece(text="a <i>"), Piece(text="<b>", is_match=True), Piece(text="&")]
    assert marked(pieces) == "a &lt;i&gt;<mark>&lt;b&gt;</mark>&amp;"


SENTENCES = {
    "x" * 10_000: "This search is longer than 200 characters",
    '- "" -""': "This search has no letters or digits",
    "\0\x01": "This search has no letters or digits",
    "-text": "This search only excludes words",
    '"a text': "A quotation mark is missing",
    "a\x1btext": "The search had control characters",
    "text " * 13: "Only the first 12 words and phrases",
}


@pytest.mark.parametrize("typed", SENTENCES, ids=[repr(typed[:12]) for typed in SENTENCES])
def test_a_query_with_a_mistake_is_answered_by_one_sentence(site_app: Flask, typed: str) -> None:
    """It says what was wrong and what to do; the page has no other error."""
    response = site_app.test_client().get("/search", query_string={"q": typed})
    assert response.status_code == 200
    sentences = [
        sentence for sentence in dict.fromkeys(SENTENCES.values()) if sentence in response.text
    ]
    assert sentences == [SENTENCES[typed]]
    assert problems(response.text) == []


def test_results_say_their_number_and_link_to_the_other_pages(filled: Flask) -> None:
    """Each link keeps the query and the order."""
    with transaction():
        for number in range(25):
            content.post(f"Bell {number}", at=content.day(number), words="A bell & a rope.")
    client = filled.test_client()
    first = client.get("/search?q=bell+rope").text
    assert "25 results, page 1 of 3" in first
    assert 'href="/search?page=2&amp;q=bell+rope"' in first
    second = client.get("/search?order=date&page=2&q=bell+rope").text
    assert "25 results, page 2 of 3" in second
    assert 'href="/search?order=date&amp;q=bell+rope"' in second
    assert 'href="/search?order=date&amp;page=3&amp;q=bell+rope"' in second
    assert '<input type="hidden" name="order" value="date">' in second
    assert second.index("bell-14") < second.index("bell-5")


@pytest.mark.parametrize(
    "query",
    [
        *("page=2", "page=0", "page=01", "page=-1", "page=x", "page=%C2%B2", "page=" + "9" * 50),
        *("order=DATE", "order=id%3B--", "order=date&page=2"),
    ],
)
def test_a_page_or_order_that_does_not_exist_is_not_found(site_app: Flask, query: str) -> None:
    """The status is 404, and the sentence leads to the first page."""
    response = site_app.test_client().get(f"/search?{query}&q=text")
    assert response.status_code == 404
    assert "This page of results does not exist" in response.text
    assert problems(response.text) == []


def test_a_misspelt_word_gets_a_link_to_its_correction(filled: Flask) -> None:
    """The link searches for the corrected words."""
    with transaction():
        for number in range(2):
            content.post(f"Bell {number}", words="A chrysanthemum.")
    html = filled.test_client().get("/search?q=crysanthemun").text
    assert 'href="/search?q=chrysanthemum"' in html
    assert "Did you mean" in html


def test_a_browser_learns_by_which_parameters_results_differ(site_app: Flask) -> None:
    """The list is exactly that of the route's policy; another page has no such header."""
    client = site_app.test_client()
    (route,) = [route for route in routes(site_app) if route.rule == "/search"]
    header = client.get("/search?q=text").headers["No-Vary-Search"]
    params = re.fullmatch(r'key-order, params, except=\(((?:"\w+" ?)+)\)', header)
    assert params is not None
    assert set(re.findall(r"\w+", params[1])) == set(route.query)
    assert "No-Vary-Search" not in client.get("/search?page=99&q=text").headers
    assert "No-Vary-Search" not in client.get("/archive").headers
