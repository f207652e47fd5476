"""What only a browser shows of long words and of other scripts.

The pages come from a Flask client instead of a server: Playwright passes each request to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, ViewportSize

from app.extensions import db
from app.publishing.actions import SiteDraft, save_site
from app.publishing.models import Post
from app.publishing.permissions import SYSTEM
from app.publishing.slugs import slugify
from app.publishing.text import render
from app.publishing.transaction import transaction
from tests.site import content

pytestmark = pytest.mark.live

WORD = "Donaudampfschiffahrtsgesellschaftskapitaen"
LONG = (WORD * 3)[:120]
ADDRESS = f"https://example.org/{LONG}"
BODY = f"""\
The word {LONG} and <{ADDRESS}> and `{LONG}`[^1] and [{LONG}](/x)

## {LONG}

### {LONG}

### More {LONG}

- {LONG}

> {LONG}

| {LONG} | b |
|---|---:|
| {LONG} | `{LONG}` |

```text
{LONG}
```

[^1]: {LONG}
"""
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
def page(app: Flask, chromium: Browser) -> Iterator[Page]:
    """A page of a phone that reads the site of `app`."""
    client = app.test_client()

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        response = client.get(url.path, query_string=url.query)
        headers = dict(response.headers)
        route.fulfill(status=response.status_code, headers=headers, body=response.data)

    context = chromium.new_context(viewport=PHONE)
    context.route("**/*", answer)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def write_post(title: str, *, topic: str, author: str, body: str, language: str | None) -> str:
    """Publish a post with a picture and return its path; its title is its summary, too."""
    text = render(body, resolve_image=lambda _: None, resolve_link=lambda _: None)
    row = content.post(
        title, topics=[topic], authors=[author], summary=title, body=text.html, cover=True
    )
    with transaction() as session:
        post = session.get_one(Post, row.id)
        post.contents = [heading._asdict() for heading in text.toc]
        post.language = language
        post.topics[0].description = title
        path = post.path
    db.session.remove()
    return path


@pytest.fixture
def long_words(app: Flask) -> list[str]:
    """The paths of a site whose every text is one word of 120 letters."""
    site = SiteDraft(title=LONG, tagline=LONG, description=LONG, language="de")
    save_site(site, expected_version=None, actor=SYSTEM)
    path = write_post(LONG, topic=LONG, author=LONG, body=BODY, language="de")
    for number in range(4):
        title = f"{number} {LONG}"
        write_post(title, topic=f"{title} a", author=f"{title} b", body=BODY, language=None)
    topic, author = (f"/{kind}/{slugify(LONG)}" for kind in ("topics", "authors"))
    paths = ["/", path, topic, f"{topic}/pages/1", author, "/topics", "/authors", "/archive"]
    paths += ["/archive/2024", "/archive/pages/1", f"/search?q={LONG}", "/search?q=word"]
    return [*paths, f"/nothing-here/{LONG}"]


def test_a_long_word_makes_no_page_wider_than_a_phone(page: Page, long_words: list[str]) -> None:
    """In titles, names, summaries, contents, text, tables and code; on the 404 page too."""
    widths = {}
    for path in long_words:
        page.goto(f"http://site.example{path}")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
        assert LONG[:30] in page.content()
    assert {path: width for path, width in widths.items() if width > PHONE["width"]} == {}


ARABIC = "مدينة الميناء"
ARABIC_BODY = "## العنوان\n\nنص عربي مع `code()` في وسطه.\n\n> اقتباس\n\n- بند\n\n| أ | ب |\n|---|---:|\n| ج | 1 |\n"
MIXED = "CSS للمبتدئين: كيف تعمل"
STYLE = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"


def test_an_arabic_article_is_set_from_right_to_left(app: Flask, page: Page) -> None:
    """Text starts on the right, quotations have their line there, letters stay joined, code is LTR."""
    save_site(
        SiteDraft(title=ARABIC, tagline=ARABIC, language="ar"), expected_version=None, actor=SYSTEM
    )
    path = write_post(MIXED, topic="CSS", author=ARABIC, body=ARABIC_BODY, language=None)
    page.goto(f"http://site.example{path}")
    expected = {
        (".prose p", "direction"): "rtl",
        (".prose p", "textAlign"): "start",
        ("h1", "direction"): "rtl",
        ("h1", "letterSpacing"): "normal",
        (".prose blockquote", "borderRightWidth"): "3px",
        (".prose blockquote", "borderLeftWidth"): "0px",
        (".prose ul", "paddingLeft"): "0px",
        (".prose td.align-right", "textAlign"): "start",
        (".prose code", "direction"): "ltr",
        (".kicker a", "direction"): "ltr",
        (".kicker a", "unicodeBidi"): "isolate",
    }
    styles = {pair: page.evaluate(STYLE, [*pair]) for pair in expected}
    assert styles == expected
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(
    ("language", "font", "word_break"),
    [
        ("ja", "Hiragino", "normal"),
        ("ko", "AppleMyungjo", "keep-all"),
        ("zh-Hant", "PMingLiU", "normal"),
    ],
)
def test_an_article_in_han_script_gets_the_fonts_of_its_language(
    app: Flask, page: Page, language: str, font: str, word_break: str
) -> None:
    """Also on an English site; its lines break by the rules of the language."""
    path = write_post("漢字の記事", topic="CSS", author="Ada", body="漢字。", language=language)
    page.goto(f"http://site.example{path}")
    assert font in page.evaluate(STYLE, [".prose p", "fontFamily"])
    assert page.evaluate(STYLE, [".prose p", "wordBreak"]) == word_break
    assert page.evaluate(STYLE, [".prose p", "lineBreak"]) == "strict"
    assert font not in page.evaluate(STYLE, [".colophon-name", "fontFamily"])
