"""Nothing that a writer types can run, load or lock anything up."""

import re
import time
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.publishing.text import Rendered, TextError, render, sanitizer
from tests.depth import examples, share

ALLOWED_ATTRIBUTES = {
    *("alt", "aria-label", "cite", "class", "colspan", "datetime", "decoding", "dir", "headers"),
    *("height", "href", "id", "lang", "loading", "max", "open", "rel", "reversed", "role"),
    *("rowspan", "scope", "sizes", "span", "src", "srcset", "start", "tabindex", "title", "type"),
    *("value", "width"),
    *("accent", "accentunder", "alttext", "display", "displaystyle", "fence", "form"),
    *("linethickness", "lspace", "mathvariant", "maxsize", "minsize", "notation", "rspace"),
    *("scriptlevel", "stretchy", "voffset"),
}
FORBIDDEN_TAGS = {
    *("script", "style", "iframe", "object", "embed", "form", "input", "button", "select"),
    *(
        "textarea",
        "svg",
        "maction",
        "mglyph",
        "annotation-xml",
        "link",
        "meta",
        "base",
        "template",
        "noscript",
        "h1",
        "video",
    ),
}


def render_text(source: str) -> Rendered:
    """Render with resolvers that give back what they are asked: the worst that they can do."""
    return render(source, resolve_image=lambda _: None, resolve_link=lambda href: href)


class Inspector(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        """No comment leaves the sanitiser."""
        self.tags.add(f"<!--{data}")


def assert_safe(html: str) -> None:
    """Nothing that can act: no such tag, no such attribute, no such URL."""
    inspector = Inspector(html)
    assert not inspector.tags & FORBIDDEN_TAGS
    assert not any(tag.startswith("<!--") for tag in inspector.tags)
    assert {name for name, _ in inspector.attributes} <= ALLOWED_ATTRIBUTES
    for name, value in inspector.attributes:
        if name in {"href", "src", "cite"}:
            scheme = re.match(r"[\x00-\x20]*([a-zA-Z][\w+.-]*)\s*:", value)
            assert scheme is None or scheme[1].lower() in sanitizer.SCHEMES
    identifiers = [value for name, value in inspector.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert not {"main", "content", "search", "top"} & set(identifiers)


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt&colon;alert(1))",
        '<a href="java\nscript:alert(1)">a</a>',
        '<a href="&#106;avascript:alert(1)">a</a>',
        '<a href="\x01javascript:alert(1)">a</a>',
        "![a](data:image/svg+xml;base64,PHN2Zz4=)",
        "[a](data:text/html,<script>alert(1)</script>)",
        "[a](vbscript:x)",
        "<svg><script>alert(1)</script></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=1&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        '<iframe srcdoc="<script>alert(1)</script>" src="javascript:alert(1)"></iframe>',
        "<iframe src=https://a><img src=x onerror=alert(1)></iframe>",
        "<form action=/logout><input name=a><button>b</button></form>",
        '<p style="position:fixed" onclick="x">a</p>',
        '<p id="main">a</p>\n\n## content\n\n<h2 id=search>x</h2>',
        "<base href=https://evil.example><meta http-equiv=refresh content=0>",
        "<textarea><img src=x onerror=1></textarea>",
        "<!--<img src=x onerror=1>-->",
        '[a](<https://a.example" onmouseover="x>)',
        '![a" onerror="x](https://a.example/p.png "t\\" onerror=\\"x")',
        '```x" onclick="y\nz\n```',
        "<a href=https://a title='\"><script>x</script>'>b</a>",
        'www.a.example/"onmouseover="x',
        '## a {#x" onclick="y}',
        "<pre><code class='language-x\" onclick=\"y'>z</code></pre>",
        "[^a]: <script>x</script>\n\nb[^a]",
        "<xmp><script>x</script></xmp><plaintext><script>y",
        "<template><script>x</script></template>",
    ],
    ids=range(32),
)
def test_an_attack_comes_out_harmless(source: str) -> None:
    """Each known trick leaves nothing that acts."""
    assert_safe(render_text(source).html)


PIECES = st.sampled_from(
    [
        *("<script>", "</script>", "<svg>", "<math>", "<style>", "</style>", "<iframe ", "<img "),
        *("src=", "href=", "onerror=x ", "javascript:", "data:text/html,", "<a ", ">", "<", '"'),
        *("'", "`", "```", "\n", "\n\n", "[", "](", ")", "![", "{#", "}", "<!--", "-->", "<table>"),
        *("<td>", "</p>", "&#x6a;", "&lt;", "\x00", "\\", "<noscript>", "</noscript>", "# ", "- "),
        *(
            "> ",
            "|a|\n|-|\n",
            "[^1]",
            "[^1]: ",
            "https://a.example/",
            "id=main ",
            "<h1>",
            "<input ",
        ),
        *(
            "style=x ",
            "<title>",
            "<textarea>",
            "<template>",
            "<![CDATA[",
            "]]>",
            "<b",
            "/",
            "é",
            "a",
        ),
    ]
)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_mixture_of_dangerous_pieces_is_dangerous(source: str) -> None:
    """Any mixture comes out safe, the same each time, and stays itself when sealed again."""
    rendered = render_text(source)
    assert_safe(rendered.html)
    assert render_text(source) == rendered
    assert sanitizer.seal(rendered.html) == rendered.html


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=200))
def test_any_text_renders(source: str) -> None:
    """Whatever is typed comes out safe, without control characters."""
    rendered = render_text(source)
    assert_safe(rendered.html)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", rendered.html + rendered.text)
    rendered.html.encode()


@pytest.mark.parametrize("href", ["javascript:x", "data:text/html,x"])
def test_a_resolver_that_errs_opens_no_hole(href: str) -> None:
    """The last cleaning comes after the resolvers."""
    html = render("[a](b)", resolve_image=lambda _: None, resolve_link=lambda _: href).html
    assert href not in html


SIZE = share(48) * 1024


@pytest.mark.parametrize(
    "piece",
    [
        *("[", "![", "*", "*a ", "a_ *b ", "<", "<!--", "<a ", "[a](", "[](", "`", "~~a "),
        *("^[", "&", "\\", "a\n: b\n", "[a]: <", "# a\n", "|a|\n|-|\n", "x\n===\n", "<b>"),
        *(
            "[a] ",
            "[] ",
            "(a) ",
            "![]() ",
            "<p>",
            "{{ a(",
            "{% ",
            "http://",
            "[a][",
            "## a {#b}\n",
            "> [!NOTE]\n",
            "a@",
            ": ",
        ),
    ],
    ids=repr,
)
def test_repetition_is_bounded_in_time(piece: str) -> None:
    """What drives a naive parser to quadratic time takes seconds at most."""
    source = (piece * (SIZE // len(piece) + 1))[:SIZE]
    started = time.process_time()
    with suppress(TextError):  # to refuse is to be bounded
        render_text(source)
    assert time.process_time() - started < share(12)


@pytest.mark.parametrize("lexer", ["python", "c", "markdown"])
def test_long_gaps_in_code_are_bounded_in_time(lexer: str) -> None:
    """Lexers with quadratic patterns for white space are kept from it."""
    started = time.process_time()
    render_text(f"```{lexer}\n" + " \n" * (SIZE // 2) + "```")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "source",
    [">" * 1000 + "a", "".join(f"{' ' * n}- a\n" for n in range(0, 400, 2))],
    ids=["quotes", "lists"],
)
def test_what_nests_too_deep_is_refused_not_lost(source: str) -> None:
    """The parser would drop the text below its limit in silence."""
    with pytest.raises(TextError, match=r"Line \d+ of the text is nested"):
        render_text(source)


@pytest.mark.parametrize("piece", ["[", "![", "^[", "[]("])
def test_thousands_of_open_brackets_are_refused(piece: str) -> None:
    """The parser would look for the end of each one, half a minute for the largest text."""
    with pytest.raises(TextError, match="brackets"):
        render_text(piece * 100_000)


def test_towers_of_tags_are_refused() -> None:
    """Thousands of unclosed tags cost an HTML parser quadratic time."""
    with pytest.raises(TextError, match="closing"):
        render_text("<div>" * 20_000)


def test_deep_html_keeps_its_text() -> None:
    """Below the depth of the tree, tags go and words stay."""
    html = render_text("<div>" * 1000 + "deep" + "</div>" * 1000).html
    assert "deep" in html
    assert html.count("<div>") < 200


def test_a_table_of_ten_thousand_columns_renders() -> None:
    """A wide table is long work, not endless work."""
    started = time.process_time()
    html = render_text("|a" * 10_000 + "|\n" + "|-" * 10_000 + "|\n").html
    assert html.count("<th>") == 10_000
    assert time.process_time() - started < 10


def test_a_text_that_explodes_is_refused() -> None:
    """A small source may not become megabytes of HTML."""
    with pytest.raises(TextError, match="MiB of HTML"):
        render_text("[^a]" * 100_000 + "\n\n[^a]: b")
