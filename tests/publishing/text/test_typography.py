# ruff: noqa: RUF001 - the quotation marks of many languages
"""Emoji codes and smart punctuation: what changes in a text, and what never does."""

from __future__ import annotations

import re
import time

import pytest

from app.publishing.text import PLAIN, Rendered, Typography, render

BOTH = Typography(emoji=True, smart_punctuation=True)


def html(markdown: str, typography: Typography = BOTH) -> str:
    """Return a text as HTML."""
    return rendered(markdown, typography).html.strip()


def rendered(markdown: str, typography: Typography = BOTH, title: str = "") -> Rendered:
    """Render a text."""
    return render(
        markdown,
        title=title,
        resolve_image=lambda _: None,
        resolve_link=lambda _: None,
        typography=typography,
    )


CHANGED = {
    "\"a\" and 'b'": "“a” and ‘b’",
    "it's": "it’s",
    "1998--2004": "1998–2004",
    "wait --- what": "wait — what",
    "and so on...": "and so on…",
    '*"a"* "**b**"': "<em>“a”</em> “<strong>b</strong>”",
    '"a\nb"': "“a\nb”",
    "I am :smile:": "I am 😄",
    ":+1: :-1: :heart: :red_heart:": "👍 👎 ❤️ ❤️",
    "(:tada:), :tada:!": "(🎉), 🎉!",
    ":smile::heart:": "😄❤️",
    "今日は:smile:です": "今日は😄です",
}


@pytest.mark.parametrize(("markdown", "expected"), CHANGED.items())
def test_a_text_gets_its_characters(markdown: str, expected: str) -> None:
    """Quotes, apostrophes, dashes, dots and emoji, also over emphasis and line ends."""
    assert html(markdown) == f"<p>{expected}</p>"


@pytest.mark.parametrize("markdown", CHANGED)
def test_a_plain_text_stays_as_it_was_written(markdown: str) -> None:
    """Both settings are off unless the site turns them on."""
    assert not re.search("[“”‘’–—…😄👍🎉❤]", html(markdown, PLAIN))


def test_each_setting_works_alone() -> None:
    """Emoji without smart punctuation, and the other way round."""
    text = '"a" :smile:'
    assert "“a” :smile:" in html(text, Typography(smart_punctuation=True))
    assert '"a" 😄' in html(text, Typography(emoji=True)).replace("&quot;", '"')


KEPT = [
    '`"a" -- :smile: ...`',
    '```\n"a" -- :smile: ...\n```',
    '    "a" -- :smile: ...',
    '<code>"a" -- :smile: ...</code>',
    'x <kbd>"a" *b* -- :smile:</kbd>',
    '<pre>\n"a" -- :smile: ...\n</pre>',
    '<div title="a -- b">\n"a" -- :smile: ...\n</div>',
    "<https://a.example/b--c/:smile:/d...e>",
    "https://a.example/b--c/:smile:/d...e",
    "www.a.example/b--c?x='y'z",
    "https://a.example/?a=1&amp;b--c",
    "[x](https://a.example/b--c/:smile: \"a -- 'b'\")",
    "![x](b--c.png)",
    "a.b--c@mail--x.example",
    '\\"a\\" \\:smile:',
    '{{< figure src="a--b" title="..." >}}',
    '{% include x.html a="b" %}',
    "(c) third, (r), (tm)",
    "10:100:20 std::heart:: a/:smile:/b :no_such_code:",
    "cmd --flag",
]


@pytest.mark.parametrize("markdown", KEPT)
def test_code_urls_and_markup_stay_as_they_are(markdown: str) -> None:
    """So does what is escaped, raw HTML, and a code that is none."""
    assert html(markdown) == html(markdown, PLAIN)


def test_a_formula_stays_as_it_is() -> None:
    """Whether it can be converted or not."""
    for markdown in (r"$f''(x) = 1...n$", "$$\na'' -- b\n$$", r"\(\nosuch{'} :smile:\)"):
        assert html(markdown) == html(markdown, PLAIN)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "“a ‘b’ c”"),
        ("de", "„a ‚b‘ c“"),
        ("de-AT", "„a ‚b‘ c“"),
        ("de-CH", "«a ‹b› c»"),
        ("fr", "«\u00a0a ‹\u00a0b\u00a0› c\u00a0»"),
        ("ru", "«a „b“ c»"),
        ("sv", "”a ’b’ c”"),
        ("fa", "«a ‹b› c»"),
        ("pt-BR", "“a ‘b’ c”"),
        ("zh-Hant-TW", "「a 『b』 c」"),
        ("tlh", "“a ‘b’ c”"),
    ],
)
def test_quotation_marks_are_those_of_the_language(language: str, expected: str) -> None:
    """By the longest part of the tag; English ones for a language that is not in the table."""
    typography = Typography(smart_punctuation=True, language=language)
    paragraph = html("\"a 'b' c\"", typography).replace(' dir="ltr"', "")
    assert paragraph.replace("&nbsp;", "\u00a0") == f"<p>{expected}</p>"


def test_a_heading_keeps_its_anchor() -> None:
    """A link to a heading works after a change of the setting."""
    for heading in ('## It\'s "so"', "## 1998--2004", "## And so on..."):
        anchors = [rendered(heading, typography).toc[0].id for typography in (BOTH, PLAIN)]
        assert anchors[0] == anchors[1]


@pytest.mark.parametrize("title", ['It\'s "so"', ":smile: Hello", "A -- b", "Plain"])
def test_a_heading_that_repeats_the_title_is_left_out(title: str) -> None:
    """The title is written as the text is, before its characters are replaced."""
    assert "<h" not in rendered(f"# {title}\n\nText.", title=title).html


def test_an_attribute_of_a_heading_is_read() -> None:
    """`{#a--b}` is markup, and no text."""
    assert rendered("## Years {#a--b}").toc[0].id == "a--b"


@pytest.mark.parametrize("piece", ['"', "'\"", '" a', "a' ", ":smile:", "::", "{{", "a@", "(c)"])
def test_the_longest_text_takes_no_quadratic_time(piece: str) -> None:
    """A line of 100,000 characters is rendered in about the time of a plain one."""
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    html(text, PLAIN)
    plain = time.process_time() - start
    start = time.process_time()
    html(text)
    assert time.process_time() - start < 20 * plain + 2


def test_a_word_after_a_url_is_read_again() -> None:
    """The URL is literal; the text before and after it is not."""
    text = html('"a" https://example.com/x--y "b" -- c')
    assert "https://example.com/x--y" in text
    assert "“b” – c" in text
    assert text.startswith("<p>“a” ")


def test_a_tag_that_nothing_opened_changes_nothing() -> None:
    """A closing tag without an opening one leaves the quotation marks around it as text."""
    assert "“a”" in html('"a"</em> b')
