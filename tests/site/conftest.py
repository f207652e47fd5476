"""What tests of the site may ask for: a site with something on every page."""

from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.models import Kind, Status

from . import content

PATHS = [
    "/",
    "/articles/lanterns",
    "/articles/plain",
    "/about",
    "/topics",
    "/topics/harbour",
    "/topics/harbour/pages/1",
    "/authors",
    "/authors/ada",
    "/authors/ada/pages/1",
    "/archive",
    "/archive/pages/1",
    "/archive/2024",
    "/search",
    "/search?q=text",
    "/search?q=nothing-like-it",
    "/edge/no-store",
    "/edge/two-minutes",
    "/nothing-here",
]
"""Every kind of page."""

PROSE = (
    '<h2 id="one">One<a class="anchor" href="#one" aria-label="Link to “One”"></a></h2>'
    '<p>A text with a note.<sup class="footnote-ref"><a href="#fn1" id="fnref1">[1]</a></sup></p>'
    '<div class="table-wrap" role="region" aria-label="Table" tabindex="0"><table><thead><tr>'
    "<th>A</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table></div>"
    '<div class="highlight"><pre tabindex="0"><code>' + "x" * 300 + "</code></pre></div>"
    '<section class="footnotes"><ol class="footnotes-list"><li class="footnote-item" id="fn1">'
    '<p>The note. <a href="#fnref1" class="footnote-backref">↩︎</a></p></li></ol></section>'
)


def fill() -> None:
    """Write something for every kind of page, in one transaction since that is faster."""
    with content.transaction():
        write()


def write() -> None:
    """Write something for every kind of page."""
    content.settings()
    content.post(
        "Lanterns",
        at=content.day(30),
        topics=["Harbour", "Light"],
        authors=["Ada", "Ben"],
        body=PROSE,
        words="A text with a note and <b>brackets</b>.",
        cover=True,
    )
    content.post("Plain", at=content.day(20), words="Another text.")
    for number in range(8):
        content.post(
            f"Number {number}",
            at=content.day(number),
            topics=["Harbour"],
            authors=["Ada"],
            cover=number % 2 == 0,
        )
    content.post("About", kind=Kind.PAGE, menu_position=0, body=PROSE)
    content.post("Imprint", kind=Kind.PAGE)
    content.post("A draft", status=Status.DRAFT, topics=["Harbour"], authors=["Ada"])


@pytest.fixture
def filled(app: Flask) -> Flask:
    """The app with something on every page."""
    fill()
    return app
