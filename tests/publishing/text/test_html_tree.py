"""The tree of a text is the same, whichever parser reads its HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.text import html_tree, sanitizer

PIECES = (
    *("<p>", "</p>", "<a href='x?a=1&amp;b=\"2\"'>", "</a>", "<br>", "<b>", "</b>", "<ul><li>"),
    *(
        "text",
        " &amp; ",
        "&lt;b&gt;",
        "&nbsp;",
        "<",
        ">",
        "&",
        "\n",
        "é“",
        "</ul>",
        "<hr class=''>",
    ),
    *("<iframe src=x><b y>z</iframe>", "<details open>", "</details>", "<math><mi>x</mi></math>"),
    *("<table><tr><td align=left>", "</table>", "<img src=a alt='&quot;'>", "<!-- more -->"),
)


def parse_slowly(html: str) -> html_tree.Node:
    """Return the tree that the parser of the standard library gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_tree._Builder, "add", _feed)
        return html_tree.parse(html)


def _feed(builder: html_tree._Builder, html: str) -> None:
    builder.feed(html)
    builder.close()


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_sanitized_html_has_the_tree_of_the_standard_parser(pieces: list[str]) -> None:
    """The spelling of the sanitizer is read faster, and not differently."""
    html = sanitizer.admit("".join(pieces))
    assert html_tree.parse(html) == parse_slowly(html)


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_a_tree_is_written_as_it_was_read(pieces: list[str]) -> None:
    """HTML without entities of its own comes out as it went in."""
    html = html_tree.serialise(html_tree.parse(sanitizer.admit("".join(pieces))))
    assert html_tree.serialise(html_tree.parse(html)) == html
