"""llms.txt: its format, and text that can't break it."""

from __future__ import annotations

from app.publishing.llms import Overview, llms_txt
from app.publishing.models import Kind, Topic

from .test_feeds import article

OVERVIEW = Overview(
    site_url="https://example.com",
    title="The Gazette",
    summary="A paper.",
    pages=[article(kind=Kind.PAGE, slug="about", title="About", summary="")],
    articles=[article()],
    topics=[Topic(slug="ink", name="Ink")],
)


def test_the_file_lists_texts_in_markdown_by_section() -> None:
    """A title, a quotation, and sections of links, as llmstxt.org describes it."""
    assert llms_txt(OVERVIEW) == (
        "# The Gazette\n"
        "\n> A paper.\n"
        "\n## Pages\n"
        "\n- [About](https://example.com/about.md)\n"
        "\n## Articles\n"
        "\n- [A title](https://example.com/articles/a-title.md): In short.\n"
        "\n## Topics\n"
        "\n- [Ink](https://example.com/topics/ink)\n"
        "\n## Optional\n"
        "\n- [All articles by year](https://example.com/archive)\n"
        "- [Atom feed](https://example.com/feed.xml)\n"
        "- [Sitemap](https://example.com/sitemap.xml)\n"
        "- [API](https://example.com/api)\n"
    )


def test_an_empty_site_has_no_empty_section() -> None:
    """Only the links that every site has remain."""
    empty = Overview(
        site_url="https://example.com", title="T", summary="", pages=[], articles=[], topics=[]
    )
    sections = [line for line in llms_txt(empty).splitlines() if line.startswith(("#", ">"))]
    assert sections == ["# T", "## Optional"]


def test_a_title_can_not_add_a_link_or_a_section() -> None:
    """Line breaks become spaces, and brackets are escaped."""
    odd = article(title="x](https://evil.example)\n## Section", summary="*bold*\n\n- [y](z)")
    text = llms_txt(
        Overview(
            site_url="https://example.com",
            title="T",
            summary="",
            pages=[],
            articles=[odd],
            topics=[],
        )
    )
    (line,) = [line for line in text.splitlines() if "evil" in line]
    assert line.startswith(r"- [x\](https://evil.example) ## Section](https://example.com/")
    assert line.endswith(r": \*bold\* - \[y\](z)")
