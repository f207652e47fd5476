from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.models import Post
from app.publishing.queries.search import PAGE_SIZE, Order, Results, search_posts
from app.publishing.search.query import Notice, Problem
from app.publishing.transaction import transaction
from tests.site import content

POSTS = {
    "Lights": "The lanterns of the harbour were lit at six, before the boats came home.",
    "Running a lighthouse": "A keeper runs up the stairs and compiles a list of ships.",
    "Compilers": "The compilation of C++ and C# on .NET takes its time. Version 1.56.0 is out.",
    "Tides": "High water, then low water. A boat waits for the tide in the harbour mouth.",
    "Café au lait": "Une tasse au Łódź, déjà vu; Müller trinkt Kaffee.",
}
"""Titles and texts; the posts are older in this order."""

CASES = {
    "harbour": ["Tides", "Lights"],
    "HARBOUR": ["Tides", "Lights"],
    "\uff48arbour": ["Tides", "Lights"],
    "lantern": ["Lights"],
    "ran up": [],
    "run": ["Running a lighthouse"],
    "boat harbour": ["Tides", "Lights"],
    "harbour -tides": ["Lights"],
    "harbour -boats": [],
    'harbour -"low water"': ["Lights"],
    '"high water"': ["Tides"],
    '"water high"': [],
    "“high water”": ["Tides"],
    "«high water»": ["Tides"],
    '"high water': ["Tides"],
    "compil": ["Compilers", "Running a lighthouse"],
    "compilat": ["Compilers", "Running a lighthouse"],
    "compilat ": [],
    "compiling ": ["Compilers", "Running a lighthouse"],
    "c++": ["Compilers"],
    "C#": ["Compilers"],
    ".net": ["Compilers"],
    "net ": [],
    "c": [],
    "1.56.0": ["Compilers"],
    "1.56": ["Compilers"],
    "56.1": [],
    "cafe": ["Café au lait"],
    "CAFÉ": ["Café au lait"],
    "lodz": ["Café au lait"],
    "muller": ["Café au lait"],
    "cafe lodz": ["Café au lait"],
    "harbour OR lantern": [],
    "harbour%": ["Tides", "Lights"],
    "har%": [],
    "h_rbour": [],
    "zzz": [],
    "zzz harbour": [],
    "harbour -zzz": ["Tides", "Lights"],
}


@pytest.fixture
def harbour(any_app: Flask) -> Flask:
    """Five posts, the last one the newest."""
    with transaction():
        for number, (title, text) in enumerate(POSTS.items()):
            content.post(title, at=content.day(number), words=text, summary="")
    return any_app


def titles(results: Results) -> list[str]:
    """The titles of one page of results, in their order."""
    return [hit.post.title for hit in results.hits]


def test_both_databases_give_the_same_results_in_the_same_order(harbour: Flask) -> None:
    """One table of queries holds on SQLite and on PostgreSQL."""
    results = {typed: titles(search_posts(typed, order=Order.DATE)) for typed in CASES}
    newest_first = list(POSTS)[::-1]
    expected = {typed: sorted(posts, key=newest_first.index) for typed, posts in CASES.items()}
    assert results == expected


SCRIPTS = {
    "東京": ["東京都の天気"],
    "京都": ["東京都の天気"],
    "都": ["東京都の天気"],
    "気": ["東京都の天気"],
    "天気": ["東京都の天気"],
    "天東": [],
    "ﾃﾞｰﾀ": ["データ"],
    "데이": ["데이터"],
    "React入": ["React入門"],
    "react入門": ["React入門"],
    "كتاب": ["الكِتَاب"],
    "الكتاب": ["الكِتَاب"],
    "дома": ["Дом"],
    "домов": ["Дом"],
    "Häuser": ["Haus"],
    "häusern": ["Haus"],
    "chevaux": ["Le cheval et les chevaux"],
    "ภาษา": ["ภาษาไทย"],
}
LANGUAGES = {
    "東京都の天気": "ja",
    "データ": "ja",
    "데이터": "ko",
    "React入門": "ja",
    "الكِتَاب": "ar",
    "Дом": "ru",
    "Haus": "de",
    "Le cheval et les chevaux": "fr",
    "ภาษาไทย": "th",
}


def test_words_of_every_script_are_found(any_app: Flask) -> None:
    """Chinese, Japanese, Korean and Thai need no spaces; vowel signs and accents may be missing."""
    with transaction() as session:
        for number, (title, language) in enumerate(LANGUAGES.items()):
            post = content.post(f"p{number}", words=title, summary="")
            post.title, post.language = title, language
            session.flush()
    results = {typed: titles(search_posts(typed)) for typed in SCRIPTS}
    assert results == SCRIPTS


def test_names_of_authors_and_topics_are_found(any_app: Flask) -> None:
    """A post is found by them, and by a word of the name with one of the text."""
    content.post("One", words="A lamp.", topics=["Harbour"], authors=["Ada Reed"])
    assert titles(search_posts("harbour")) == ["One"]
    assert titles(search_posts('"ada reed"')) == ["One"]
    assert titles(search_posts("lamp reed")) == ["One"]
    assert titles(search_posts('"reed harbour"')) == []


def test_a_title_that_is_the_query_comes_first(any_app: Flask) -> None:
    """Then titles with all words, then names, then texts, for any dates and counts."""
    with transaction():
        content.post("Cargo", at=content.day(0), words="One word.")
        content.post("News of cargo", at=content.day(1), words="One word.")
        content.post("Named", at=content.day(2), words="One word.", topics=["Cargo"])
        content.post("Text", at=content.day(3), words="Cargo cargo cargo cargo cargo.")
        content.post("Other", at=content.day(4), words="Something else.")
    assert titles(search_posts("cargo")) == ["Cargo", "News of cargo", "Named", "Text"]
    by_date = titles(search_posts("cargo", order=Order.DATE))
    assert by_date == ["Text", "Named", "News of cargo", "Cargo"]


def test_a_whole_word_counts_more_than_a_beginning(any_app: Flask) -> None:
    """The last word may be unfinished, but what has the word itself comes first."""
    with transaction():
        content.post("A", at=content.day(0), words="A cat on a wall.")
        content.post("B", at=content.day(1), words="A catalogue on a wall.")
    assert titles(search_posts("cat")) == ["A", "B"]
    assert titles(search_posts("cat ")) == ["A"]


PROBLEMS = {
    "x" * 10_000: Problem.TOO_LONG,
    "word " * 2_000: Problem.TOO_LONG,
    '"': Problem.NO_WORDS,
    '""': Problem.NO_WORDS,
    "- -- ---": Problem.NO_WORDS,
    '-"" "-" + * ( ) : ^': Problem.NO_WORDS,
    "\0": Problem.NO_WORDS,
    "\x01\x02\x7f": Problem.NO_WORDS,
    "🦀": Problem.NO_WORDS,
    "-rust": Problem.ONLY_EXCLUDED,
    '-"a b" -c': Problem.ONLY_EXCLUDED,
}


@pytest.mark.parametrize("typed", PROBLEMS, ids=[repr(typed[:14]) for typed in PROBLEMS])
def test_a_query_that_cannot_be_searched_for_names_its_problem(any_app: Flask, typed: str) -> None:
    """Too long, without words, or only with excluded words: nothing is searched."""
    content.post("One", words="x word rust")
    results = search_posts(typed)
    assert (results.query.problem, results.count) == (PROBLEMS[typed], 0)


NOTICES = {
    '"open phrase': (Notice.OPEN_QUOTE,),
    'a "b" "c': (Notice.OPEN_QUOTE,),
    "a\0b": (Notice.CONTROL_CHARACTERS,),
    "a\x1bb": (Notice.CONTROL_CHARACTERS,),
    "a\ud800b": (Notice.CONTROL_CHARACTERS,),
    "a\tb\nc": (),
    " ".join("abcdefghijklm"): (Notice.TOO_MANY_PARTS,),
    "a 'b' (c) d:e ^f": (),
}


@pytest.mark.parametrize("typed", NOTICES, ids=map(repr, NOTICES))
def test_a_query_that_is_changed_says_so(any_app: Flask, typed: str) -> None:
    """An open quotation mark, control characters, or too many words."""
    content.post("One", words="a text")
    assert search_posts(typed).query.notices == NOTICES[typed]


CORRECTIONS = {
    "complation": "compilation",
    "compiltion errors": "compilation errors",
    "lnatern": "lantern",
    "lanetrn": "lantern",
    "hrbuor": "harbour",
    "-boats lanterm": "-boats lantern",
    '"compilation erors"': '"compilation errors"',
    "zzzzzz": "",
    "xy": "",
    "lantern harbour compilation nothing": "",
}


@pytest.mark.parametrize("typed", CORRECTIONS)
def test_a_misspelt_word_is_corrected_if_that_finds_something(any_app: Flask, typed: str) -> None:
    """The word must be in two posts at least, at most two edits away."""
    with transaction():
        content.post("One", words="A lantern, a harbour.")
        content.post("Two", words="A lantern, a harbour, compilation errors.")
        content.post("Three", words="Compilation errors, once more.")
    assert search_posts(typed).correction == CORRECTIONS[typed]


def test_results_are_numbered_pages(any_app: Flask) -> None:
    """Each post is on one page, and the count is that of all pages."""
    with transaction():
        for number in range(PAGE_SIZE * 2 + 3):
            content.post(f"n{number}", at=content.day(number), words="A lantern.")
    pages = [search_posts("lantern", page=number) for number in (1, 2, 3, 4)]
    assert [len(page.hits) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 3, 0]
    assert {(page.count, page.page_count) for page in pages} == {(PAGE_SIZE * 2 + 3, 3)}
    assert [page.is_beyond_end for page in pages] == [False, False, False, True]
    assert len({title for page in pages for title in titles(page)}) == PAGE_SIZE * 2 + 3


def test_a_snippet_marks_the_words_of_the_query(harbour: Flask) -> None:
    """In every form of the word, and of a phrase only where its words follow one another."""
    assert marked("compiler") == ["compilation"]
    assert marked('"low water"') == ["low water"]
    assert marked("water") == ["water", "water"]
    assert marked("lodz") == ["Łódź"]
    assert marked("c++") == ["C++"]


def marked(typed: str) -> list[str]:
    """What the snippet of the first result marks."""
    hit = search_posts(typed).hits[0]
    return [piece.text for piece in hit.snippet if piece.is_match]


def test_a_post_without_the_word_in_its_text_shows_its_summary(any_app: Flask) -> None:
    """It is found by its title, a name or its summary."""
    content.post("Lanterns", words="Something else.", summary="About lamps.")
    hit = search_posts("lanterns").hits[0]
    assert [(piece.text, piece.is_match) for piece in hit.snippet] == [("About lamps.", False)]
    assert marked("lamps") == ["lamps"]


def test_every_result_is_a_post_that_is_loaded_for_a_list(harbour: Flask) -> None:
    """The view needs no further statement for it."""
    post: Post = search_posts("tides").hits[0].post
    assert (post.title, post.authors, post.topics) == ("Tides", [], [])
