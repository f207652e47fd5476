"""What only a browser can tell: that pages hold still, fit, and are read by everybody."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has no stubs
    Axe,
)
from playwright.sync_api import Browser, BrowserContext, Page

from tests.depth import choose_cases

from .live_site import start_site

pytestmark = pytest.mark.live

PATHS = [
    *("/", "/articles/lanterns", "/about", "/topics", "/topics/harbour", "/archive"),
    *("/archive/2024", "/search?q=text", "/edge/two-minutes", "/nothing-here"),
]
"""Every kind of layout."""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALL = {"width": 320, "height": 640}
LARGE = {"width": 1920, "height": 1080}

WATCH = """
window.shifts = []; window.violations = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({type: 'layout-shift', buffered: true});
document.addEventListener('securitypolicyviolation', event => {
  window.violations.push(event.violatedDirective + ' ' + event.blockedURI);
});
"""
SCROLL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 400) {
    scrollTo(0, y); await new Promise(done => requestAnimationFrame(() => setTimeout(done, 20)));
  }
}"""


PICTURES = """() => [...document.querySelectorAll('img[sizes]')].map(img => {
  const choices = img.sizes.split(/,(?![^(]*\\))/).map(choice => choice.trim());
  const chosen = choices.find(choice =>
    !choice.startsWith('(') || matchMedia(choice.slice(0, choice.indexOf(')') + 1)).matches);
  const ruler = document.body.appendChild(document.createElement('div'));
  ruler.style.width = chosen.replace(/^\\([^)]*\\)\\s*/, '');
  const stated = ruler.getBoundingClientRect().width;
  ruler.remove();
  return [img.sizes, stated, img.getBoundingClientRect().width];
})"""
"""Each picture's `sizes`, the width that they state for this window, and its width on the page."""


@dataclass(slots=True)
class Visit:
    """A page that was read to its end, and what happened meanwhile."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def sum_of_shifts(self) -> float:
        """How much the page jumped (cumulative layout shift)."""
        return float(self.page.evaluate("window.shifts.reduce((a, b) => a + b, 0)"))

    def violations(self) -> list[str]:
        """What the content security policy refused."""
        violations: list[str] = self.page.evaluate("window.violations")
        return violations


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, content_file: Path) -> Iterator[str]:
    """Where a server with something on every page answers."""
    with start_site(content_file, tmp_path_factory.mktemp("read")) as started:
        yield started.url


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser of one's own; it is closed with the test."""
    contexts: list[BrowserContext] = []

    def new(**options: Any) -> BrowserContext:
        contexts.append(chromium.new_context(**options))
        return contexts[-1]

    yield new
    for context in contexts:
        context.close()


def visit(context: BrowserContext, url: str) -> Visit:
    """Read a page from its beginning to its end."""
    page = context.new_page()
    page_visit = Visit(page=page)
    page.add_init_script(WATCH)
    page.on("request", lambda request: page_visit.requests.append(request.url))
    page.on("pageerror", lambda error: page_visit.complaints.append(str(error)))
    page.on("console", lambda said: page_visit.complaints.append(said.text))
    page.goto(url, wait_until="networkidle")
    page.evaluate(SCROLL)
    return page_visit


@pytest.mark.parametrize(
    ("path", "is_used"),
    [("/", False), ("/topics", False), ("/articles/number-7", False), ("/articles/lanterns", True)],
)
def test_the_italic_font_is_loaded_only_by_texts_with_italics(
    site: str, browse: Callable[..., BrowserContext], path: str, is_used: bool
) -> None:
    """It has 41 KB, and the pages' own words are upright."""
    requests = visit(browse(viewport=DESKTOP), f"{site}{path}").requests
    assert any("newsreader-italic" in url for url in requests) is is_used


@pytest.mark.parametrize("width", [360, 412, 700, 900, 1280, 1920])
def test_pictures_state_the_width_that_they_have(
    site: str, browse: Callable[..., BrowserContext], width: int
) -> None:
    """The browser chooses a file by `sizes`: too small is blurred, too large is slow."""
    page = browse(viewport={"width": width, "height": 900}).new_page()
    pictures: list[tuple[str, float, float]] = []
    for path in ("/", "/articles/lanterns", "/articles/number-7", "/topics/harbour"):
        page.goto(f"{site}{path}")
        pictures += page.evaluate(PICTURES)
    assert len(pictures) > 8
    assert [it for it in pictures if not it[2] * 0.95 <= it[1] <= it[2] * 1.4] == []


@pytest.mark.parametrize(
    ("viewport", "start"), [(PHONE, 0), (DESKTOP, 1)], ids=["phone", "desktop"]
)
def test_pages_hold_still_and_ask_nobody_else(
    site: str, browse: Callable[..., BrowserContext], viewport: dict[str, int], start: int
) -> None:
    """No layout shift, no complaint of the browser, no request to another host, nothing refused."""
    context = browse(viewport=viewport)
    wrong: dict[str, object] = {}
    for path in choose_cases(PATHS, start):
        page_visit = visit(context, site + path)
        shift = page_visit.sum_of_shifts()
        foreign = [url for url in page_visit.requests if not url.startswith((site, "data:"))]
        missing = "404" if path == "/nothing-here" else "no status"
        complaints = [complaint for complaint in page_visit.complaints if missing not in complaint]
        if shift >= 0.01 or complaints or foreign or page_visit.violations():
            wrong[path] = (shift, complaints, foreign, page_visit.violations())
        page_visit.page.close()
    assert wrong == {}


@pytest.mark.parametrize(("viewport", "start"), [(SMALL, 1), (LARGE, 2)], ids=["small", "large"])
def test_pages_fit_their_window(
    site: str, browse: Callable[..., BrowserContext], viewport: dict[str, int], start: int
) -> None:
    """Nobody scrolls sideways, on the smallest phone or the largest screen."""
    context = browse(viewport=viewport)
    widths = {}
    for path in choose_cases(PATHS, start):
        page = context.new_page()
        page.goto(site + path)
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
        page.close()
    assert {path: width for path, width in widths.items() if width > viewport["width"]} == {}


@pytest.mark.parametrize(("scheme", "start"), [("light", 0), ("dark", 1)], ids=["light", "dark"])
def test_pages_are_accessible(
    site: str, browse: Callable[..., BrowserContext], scheme: str, start: int
) -> None:
    """Nothing that axe finds: contrast, names, landmarks, order of headings."""
    context = browse(viewport=PHONE, color_scheme=scheme)
    wrong = {}
    for path in choose_cases(PATHS, start):
        page = context.new_page()
        page.goto(site + path)
        violations = Axe().run(page).response["violations"]
        if violations:
            wrong[path] = [
                (rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations
            ]
        page.close()
    assert wrong == {}


@pytest.mark.parametrize(("language", "start"), [("de", 0), ("ar", 1), ("ja", 2)])
def test_pages_in_other_languages_fit_and_are_accessible(
    content_file: Path,
    tmp_path: Path,
    browse: Callable[..., BrowserContext],
    language: str,
    start: int,
) -> None:
    """The longer words of German, Arabic from right to left, and Japanese, in both schemes."""
    file = shutil.copy(content_file, tmp_path / "content.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE site SET language = ?", (language,))
    wrong: dict[str, object] = {}
    with start_site(Path(file), tmp_path) as started:
        for viewport, scheme in ((SMALL, "light"), (DESKTOP, "dark")):
            context = browse(viewport=viewport, color_scheme=scheme)
            for path in choose_cases(PATHS, start):
                page = context.new_page()
                page.goto(started.url + path)
                assert page.evaluate("document.documentElement.lang") == language
                violations = [rule["id"] for rule in Axe().run(page).response["violations"]]
                width = page.evaluate("document.documentElement.scrollWidth")
                if violations or width > viewport["width"]:
                    wrong[f"{path} {scheme}"] = (violations, width)
                page.close()
    assert wrong == {}


def test_pages_are_read_without_javascript(
    site: str, browse: Callable[..., BrowserContext]
) -> None:
    """The text, the contents and search need no script."""
    page = browse(java_script_enabled=False).new_page()
    page.goto(f"{site}/articles/lanterns")
    assert "text with a note" in page.inner_text("main")
    page.goto(f"{site}/search")
    page.fill("input[name=q]", "brackets")
    page.press("input[name=q]", "Enter")
    assert "Lanterns" in page.inner_text("main")


def test_the_first_key_leads_to_the_text(site: str, browse: Callable[..., BrowserContext]) -> None:
    """The skip link is the first stop of the keyboard, and it works."""
    page = browse(viewport=DESKTOP).new_page()
    page.goto(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_dark_mode_is_dark(site: str, browse: Callable[..., BrowserContext]) -> None:
    """The paper follows what the reader has chosen."""
    colours = []
    for scheme in ("light", "dark"):
        page = browse(color_scheme=scheme).new_page()
        page.goto(site)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(251, 247, 238)", "rgb(18, 24, 42)"]


def test_on_paper_there_is_only_the_text(site: str, browse: Callable[..., BrowserContext]) -> None:
    """Navigation is not printed."""
    page = browse(viewport=DESKTOP).new_page()
    page.goto(f"{site}/articles/lanterns")
    page.emulate_media(media="print")
    assert not page.is_visible(".sections")
    assert not page.is_visible(".neighbours")
    assert page.is_visible(".prose")


def test_notes_stand_beside_the_text_on_a_wide_screen(
    site: str, browse: Callable[..., BrowserContext]
) -> None:
    """And below it on a narrow one."""
    lefts = []
    for viewport in (PHONE, LARGE):
        page = browse(viewport=viewport).new_page()
        page.goto(f"{site}/articles/lanterns")
        note, text = page.locator("#fn1").bounding_box(), page.locator(".prose").bounding_box()
        assert note is not None
        assert text is not None
        lefts.append(note["x"] >= text["x"] + text["width"])
    assert lefts == [False, True]
