"""The editor in a real browser: autosave, merge, recovery, shortcuts, paste, preview."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has no stubs
    Axe,
)
from flask import Flask
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Page,
    Route,
    ViewportSize,
    expect,
)
from werkzeug.serving import make_server

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Fork, Kind, Login, Post, Role, WorkingCopy
from app.publishing.permissions import Actor
from tests.studio.people import PASSWORD, add_person
from tests.studio.writing import NOW, open_post

from .programs import free_port

pytestmark = [pytest.mark.live, pytest.mark.slow]

TEXT = "One two three.\n\nFour five six."
SAVED = "Saved"


class Site:
    """A server of the app on loopback, and browsers that are logged in."""

    def __init__(self, url: str, chromium: Browser) -> None:
        self.url = url
        self.chromium = chromium
        self.problems: list[str] = []
        self.contexts: list[BrowserContext] = []

    def open(self, path: str, email: str = "ada@example.com", **options: Any) -> Page:
        """Log in, and open a page of the studio."""
        context = self.chromium.new_context(**options)
        self.contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        self.watch(page)
        page.goto(f"{self.url}/studio/login")
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/studio*")
        page.goto(self.url + path)
        return page

    def watch(self, page: Page) -> None:
        """Note errors of scripts and violations of the Content-Security-Policy."""
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        is_network = "Failed to load resource" in message.text
        if message.type == "error" and not is_network:
            self.problems.append(message.text)


@pytest.fixture
def site(make_app: Callable[..., Flask], chromium: Browser) -> Iterator[Site]:
    """The site with an editor and a second one; no page may report a problem."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = make_app(SITE_URL=url)
    add_person(Role.OWNER, email="ada@example.com", name="Ada")
    add_person(Role.EDITOR, email="bob@example.com", name="Bob")
    db.session.remove()
    with serving(app, port):
        opened = Site(url, chromium)
        yield opened
        for context in opened.contexts:
            context.close()
    assert opened.problems == []


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    """Serve the app in threads of this process."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ADA = Actor(user_id=1, role=Role.OWNER, name="Ada")


def new_copy(title: str = "Title", text: str = TEXT) -> str:
    """Begin a new post; return the path of its editor."""
    fields = actions.CopyFields(title=title, body_markdown=text)
    copy_id = actions.create_copy(Kind.ARTICLE, fields, now=NOW, actor=ADA).id
    db.session.remove()
    return f"/studio/copies/{copy_id}"


def stored_text() -> str:
    """The text of the one working copy as the database has it."""
    db.session.remove()
    fields = db.session.scalars(sa.select(WorkingCopy.fields)).one()
    db.session.remove()
    text: str = fields["body_markdown"]
    return text


def type_at(page: Page, where: str, text: str) -> None:
    """Type at the beginning, at the end, or after some words of the text."""
    area = page.locator("#body_markdown")
    area.focus()
    place = {"start": 0, "end": -1}.get(where)
    area.evaluate(
        "(area, [place, words]) => { const at = place === null ? area.value.indexOf(words) + words.length"
        " : place < 0 ? area.value.length : place; area.setSelectionRange(at, at); }",
        [place, where],
    )
    page.keyboard.type(text)


def wait_until_saved(page: Page) -> None:
    """Wait for the server's acknowledgement of everything that was typed."""
    expect(page.locator("#save-state")).to_have_attribute("data-state", "saved")


def test_what_is_typed_is_saved_by_itself(site: Site) -> None:
    """The text, the other fields, and the count of words; a reload shows the same."""
    page = site.open(new_copy())
    type_at(page, "end", " More words.")
    page.fill("#title", "Another title")
    wait_until_saved(page)
    assert stored_text() == f"{TEXT} More words."
    assert page.inner_text("#words") == "8 words, 1 min"
    page.reload()
    expect(page.locator("#body_markdown")).to_have_value(f"{TEXT} More words.")
    expect(page.locator("#title")).to_have_value("Another title")
    page.keyboard.press("Control+s")
    assert "Not changed" not in page.inner_text("#save-state")


def test_one_writer_in_two_tabs_has_no_conflict(site: Site) -> None:
    """Each tab adopts what the other has saved, and the caret stays."""
    path = new_copy()
    first = site.open(path)
    second = first.context.new_page()
    site.watch(second)
    second.goto(site.url + path)
    type_at(first, "start", "A ")
    wait_until_saved(first)
    type_at(second, "end", " Z")
    expect(second.locator("#body_markdown")).to_have_value(f"A {TEXT} Z")
    wait_until_saved(second)
    assert stored_text() == f"A {TEXT} Z"
    place = second.locator("#body_markdown").evaluate("(area) => area.selectionStart")
    assert place == len(f"A {TEXT} Z")


def test_two_editors_of_the_same_words_get_a_comparison(site: Site) -> None:
    """Neither text is lost; the page leads to both."""
    path = new_copy()
    ada, bob = site.open(path), site.open(path, "bob@example.com")
    type_at(ada, "two", "X")
    wait_until_saved(ada)
    type_at(bob, "two", "Y")
    bob.click("#save-state a")
    assert "could not be merged" in bob.inner_text("h1")
    bob.fill("#body_markdown", "One twoXY three.\n\nFour five six.")
    bob.click("text=Save this text")
    bob.wait_for_url("**note=resolved")
    assert stored_text() == "One twoXY three.\n\nFour five six."
    assert db.session.scalars(sa.select(Fork)).all() == []


def test_editors_see_one_another(site: Site) -> None:
    """As soon as the second one opens the text."""
    path = new_copy()
    ada = site.open(path)
    type_at(ada, "end", "x")
    bob = site.open(path, "bob@example.com")
    expect(bob.locator("#others")).to_contain_text("Ada has this open too.")


def test_a_lost_connection_loses_no_text(site: Site) -> None:
    """Typed without a connection, the tab closed, opened again: the text is offered and merged."""
    path = new_copy()
    page = site.open(path)
    context = page.context
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('away')); }")
    type_at(page, "end", " Typed on a train.")
    expect(page.locator("#save-state")).to_contain_text("no connection")
    page.close()
    actions.save_copy(
        int(path.rpartition("/")[2]),
        actions.CopyFields(title="Title", body_markdown=TEXT.replace("One", "1")),
        version=1,
        now=NOW,
        actor=ADA,
    )
    again = context.new_page()
    site.watch(again)
    again.goto(site.url + path)
    notice = again.locator("section.notice")
    expect(notice).to_contain_text("was not saved")
    expect(again.locator("#body_markdown")).to_have_value(TEXT.replace("One", "1"))
    notice.get_by_role("button", name="Merge it").click()
    expect(again.locator("#body_markdown")).to_have_value(
        f"{TEXT.replace('One', '1')} Typed on a train."
    )
    assert stored_text().endswith("Typed on a train.")
    again.reload()
    expect(again.locator("#save-state")).to_contain_text("Saved")
    assert again.locator("section.notice").count() == 0


def test_a_connection_that_comes_back_saves_what_was_typed(site: Site) -> None:
    """Without a click."""
    page = site.open(new_copy())
    page.context.set_offline(True)
    type_at(page, "end", " More.")
    expect(page.locator("#save-state")).to_contain_text("no connection")
    page.context.set_offline(False)
    wait_until_saved(page)
    assert stored_text() == f"{TEXT} More."


def test_a_session_that_ended_keeps_the_text(site: Site) -> None:
    """The user logs in in another tab and goes on; the form gets the token of the new session."""
    page = site.open(new_copy())
    db.session.execute(sa.delete(Login))
    db.session.commit()
    type_at(page, "end", " More.")
    with page.context.expect_page() as opened:
        page.click("#save-state a")
    login = opened.value
    login.fill("#email", "ada@example.com")
    login.fill("#password", PASSWORD)
    login.click("main button")
    login.wait_for_url("**/studio*")
    page.bring_to_front()
    page.keyboard.press("Control+s")
    wait_until_saved(page)
    assert stored_text() == f"{TEXT} More."


def test_a_copy_that_was_published_elsewhere_keeps_the_text(site: Site) -> None:
    """The later words are put into a new working copy, not into the public page."""
    path = new_copy()
    page = site.open(path)
    release = actions.Release(timing=actions.Timing.NOW)
    actions.publish_copy(int(path.rpartition("/")[2]), release, version=1, now=NOW, actor=ADA)
    db.session.remove()
    type_at(page, "end", " Later.")
    page.click("#save-state button")
    page.wait_for_url("**/studio/copies/*")
    page.get_by_role("button", name="Merge it").click()
    expect(page.locator("#body_markdown")).to_have_value(f"{TEXT} Later.")
    assert db.session.scalars(sa.select(Post.body_markdown)).one() == TEXT


def value_after(page: Page, *keys: str) -> str:
    """The text after some keys were pressed in it; a key of one letter is typed."""
    for key in keys:
        if len(key) > 1 and ("+" in key or key in {"Enter", "Home", "End"}):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)
    return page.input_value("#body_markdown")


def test_shortcuts_mark_words_and_undo_works(site: Site) -> None:
    """Bold, italic, link; each a second time takes the marks off, and Ctrl+Z goes back."""
    page = site.open(new_copy(text="word"))
    area = page.locator("#body_markdown")
    area.focus()
    page.keyboard.press("Control+a")
    assert value_after(page, "Control+b") == "**word**"
    assert value_after(page, "Control+b") == "word"
    assert value_after(page, "Control+i") == "*word*"
    assert value_after(page, "Control+z") == "word"
    page.keyboard.press("Control+a")
    assert value_after(page, "Control+k", "x.example") == "[word](x.example)"
    page.click('#toolbar [aria-label="Heading"]')
    assert page.input_value("#body_markdown") == "## [word](x.example)"
    page.click('#toolbar [aria-label="Heading"]')
    assert page.input_value("#body_markdown") == "[word](x.example)"


def test_lists_continue_and_end(site: Site) -> None:
    """With the next number, an open task, the quotation; an empty item ends the list."""
    page = site.open(new_copy(text=""))
    page.locator("#body_markdown").focus()
    assert value_after(page, "- a", "Enter", "b", "Enter", "Enter") == "- a\n- b\n"
    assert value_after(page, "Control+a", "9. a", "Enter", "b") == "9. a\n10. b"
    assert value_after(page, "Control+a", "- [x] a", "Enter", "b") == "- [x] a\n- [ ] b"
    assert value_after(page, "Control+a", "> a", "Enter", "b") == "> a\n> b"
    assert value_after(page, "Control+a", "plain", "Enter", "b") == "plain\nb"


PASTED = {
    "formatted text": (
        "<h1>Title</h1><p>A <b>bold</b> and <em>fine</em> <a href='https://x.example/a'>link</a>.</p>",
        "## Title\n\nA **bold** and *fine* [link](https://x.example/a).",
    ),
    "lists": (
        "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>",
        "- a\n- b\n  1. c",
    ),
    "a table": (
        "<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td>2</td></tr></table>",
        "| a | b\\|c |\n| --- | --- |\n| 1 | 2 |",
    ),
    "code": (
        "<pre><code class='language-python'>x = 1\nprint(x)\n</code></pre><p>Run <code>x</code></p>",
        "```python\nx = 1\nprint(x)\n```\n\nRun `x`",
    ),
    "a text of Google Docs": (
        '<b style="font-weight:normal;" id="docs"><p style="color:red">a <b>b</b></p></b>',
        "a **b**",
    ),
    "scripts and handlers": (
        "<p onclick='alert(1)'>a<script>alert(1)</script><img src=x onerror='alert(1)'> <a href='javascript:alert(1)'>b</a></p>",
        "a b",
    ),
}


def paste(page: Page, *, html: str = "", text: str = "") -> str:
    """Paste into the text; the text afterwards."""
    page.locator("#body_markdown").evaluate(
        """(area, [html, text]) => {
          const data = new DataTransfer();
          if (html) data.setData("text/html", html);
          data.setData("text/plain", text);
          area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        [html, text],
    )
    return page.input_value("#body_markdown")


def test_pasted_html_becomes_markdown(site: Site) -> None:
    """What could run is left out."""
    page = site.open(new_copy(text=""))
    for name, (html, expected) in PASTED.items():
        page.fill("#body_markdown", "")
        assert paste(page, html=html, text="plain") == expected, name
    page.fill("#body_markdown", "")
    assert paste(page, text="a\tb\n1\t2\n") == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    page.fill("#body_markdown", "word")
    page.locator("#body_markdown").select_text()
    assert paste(page, text="https://x.example/") == "[word](https://x.example/)"


def test_the_preview_follows_the_text(site: Site) -> None:
    """It is the public page, adds nothing to the history, and runs no script of the text."""
    page = site.open(new_copy(text="First words."), viewport={"width": 1400, "height": 800})
    page.click("#toggle-preview")
    frame = page.frame_locator("#preview iframe")
    expect(frame.locator(".prose p")).to_have_text("First words.")
    length = page.evaluate("history.length")
    type_at(
        page,
        "end",
        "\n\n## A heading\n\n<script>document.title = 'x'</script>\n\nSecond **words**.",
    )
    expect(frame.locator(".prose h2")).to_contain_text("A heading")
    expect(frame.locator(".prose p").last).to_contain_text("Second words.")
    assert page.evaluate("history.length") == length
    assert frame.locator(".prose script").count() == 0
    assert frame.locator("link[rel=stylesheet]").count() > 2


def test_publish_leads_through_the_plan_to_the_panel(site: Site) -> None:
    """What was typed a moment ago is part of it."""
    page = site.open(new_copy())
    type_at(page, "end", " The last words.")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Publish now").click()
    page.wait_for_url("**/studio/publishing/*")
    assert page.inner_text("h1") == "Published: Title"
    page.get_by_role("link", name="View the post").click()
    expect(page.locator(".prose")).to_contain_text("The last words.")


def test_without_scripts_a_post_is_written_and_published(site: Site) -> None:
    """By the same pages."""
    page = site.open("/studio/posts", java_script_enabled=False)
    page.click("text=New article")
    page.fill("#title", "By hand")
    page.fill("#body_markdown", "Some *text*.")
    page.click("button[value=preview]")
    expect(page.locator(".prose em")).to_have_text("text")
    page.go_back()
    page.reload()
    expect(page.locator("#body_markdown")).to_have_value("Some *text*.")
    page.click("button:has-text('Publish…')")
    page.click("text=Publish now")
    page.click("text=View the post")
    expect(page.locator("h1")).to_have_text("By hand")


PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_writing_are_accessible(site: Site, scheme: Literal["light", "dark"]) -> None:
    """Nothing that axe finds, and no page is wider than a phone."""
    path = new_copy(text=f"{TEXT} {'x' * 90}")
    copy_id = int(path.rpartition("/")[2])
    fork = actions.save_copy(
        copy_id,
        actions.CopyFields(title="Fork", body_markdown="y" * 90),
        version=9,
        now=NOW,
        actor=ADA,
    ).fork_id
    post = open_post()
    text = actions.CopyFields(title="First light", body_markdown="New.")
    changed = actions.open_copy(post.id, now=NOW, actor=ADA).id
    actions.save_copy(changed, text, version=1, now=NOW, actor=ADA)
    release = actions.Release(timing=actions.Timing.NOW)
    publication = actions.publish_copy(changed, release, version=2, now=NOW, actor=ADA).id
    post_id = post.id
    actions.add_media(image_file()["buffer"], "sea.png", now=NOW, actor=ADA)
    db.session.remove()
    page = site.open("/studio", viewport=PHONE, color_scheme=scheme)
    wrong = {}
    for address in (
        "/studio/posts",
        "/studio/media",
        f"/studio/posts/{post_id}",
        f"/studio/posts/{post_id}/revisions",
        f"/studio/posts/{post_id}/revisions/1..2",
        path,
        f"{path}/forks/{fork}",
        f"{path}/publish",
        f"/studio/publishing/{publication}",
    ):
        page.goto(site.url + address)
        violations = Axe().run(page).response["violations"]
        width = page.evaluate("document.documentElement.scrollWidth")
        if violations or width > PHONE["width"]:
            nodes = [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in violations]
            wrong[address] = (width, nodes)
    assert wrong == {}


CASES = [
    ("abc", "abc", "abXc", "abXc"),
    ("abc", "Xabc", "abcY", "XabcY"),
    ("abc", "abcX", "Yabc", "YabcX"),
    ("abc", "aXc", "aYc", None),
    ("", "X", "Y", None),
]


def test_words_typed_during_a_save_are_carried_over(site: Site) -> None:
    """Into the text that the server has merged; an overlap is left to the server."""
    page = site.open(new_copy())
    address = page.evaluate(
        "performance.getEntriesByType('resource').map((e) => e.name).find((n) => n.includes('autosave.js'))"
    )
    for sent, merged, current, expected in CASES:
        result = page.evaluate(
            "([url, ...texts]) => import(url).then((m) => m.carryOver(...texts))",
            [address, sent, merged, current],
        )
        assert result == expected


def image_file(name: str = "Sea view.png") -> FilePayload:
    """A small PNG as a file input takes it."""
    out = BytesIO()
    Image.new("RGB", (80, 60), "teal").save(out, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": out.getvalue()}


def test_a_chosen_image_is_uploaded_and_shown(site: Site) -> None:
    """Its Markdown is a paragraph at the caret, the alternative text is selected, undo works."""
    page = site.open(new_copy(text="First words."), viewport={"width": 1400, "height": 800})
    page.click("#toggle-preview")
    type_at(page, "end", "")
    with page.expect_file_chooser() as chooser:
        page.click('#toolbar button:has-text("Image")')
    chooser.value.set_files([image_file()])
    area = page.locator("#body_markdown")
    expect(area).to_have_value(re.compile(r"^First words\.\n\n!\[Describe this image\]\(/media/"))
    page.keyboard.type("The sea")
    text = re.compile(r"^First words\.\n\n!\[The sea\]\(/media/[0-9a-f]{20}/sea-view\.png\)$")
    expect(area).to_have_value(text)
    shown = page.frame_locator("#preview iframe").locator(".prose figure img")
    expect(shown).to_have_attribute("alt", "The sea")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 80
    expect(page.locator("#uploads")).to_be_empty()
    for _ in range(10):
        page.keyboard.press("Control+z")
    expect(area).to_have_value("First words.")


PASTE_OR_DROP = """(area, [kind, name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: data })
    : new ClipboardEvent("paste", { ...options, clipboardData: data });
  area.dispatchEvent(event);
}"""


def test_images_that_are_pasted_or_dropped_are_uploaded(site: Site) -> None:
    """Each becomes a paragraph of its own."""
    page = site.open(new_copy(text=""))
    content = list(image_file()["buffer"])
    area = page.locator("#body_markdown")
    area.evaluate(PASTE_OR_DROP, ["paste", "a.png", content])
    expect(area).to_have_value(re.compile(r"^!\[Describe this image\]\(/media/\w+/a\.png\)$"))
    type_at(page, "end", "")
    area.evaluate(PASTE_OR_DROP, ["drop", "b.png", content])
    expect(area).to_have_value(re.compile(r"a\.png\)\n\n!\[Describe this image\]\(/media/\S+\)$"))


def test_an_image_that_is_refused_is_named_with_the_reason(site: Site) -> None:
    """The text stays as it is; a lost connection can be tried again."""
    page = site.open(new_copy(text="Words."))
    type_at(page, "end", "")
    wrong: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": b"no image"}
    page.set_input_files("#image-files", [wrong])
    problem = page.locator("#uploads .problem")
    expect(problem).to_contain_text("a.png was not uploaded. The file is none of JPEG, PNG")
    problem.get_by_role("button", name="Close").click()
    page.route("**/studio/media", lambda route: route.abort())
    page.set_input_files("#image-files", [image_file()])
    expect(problem).to_contain_text("There is no connection.")
    assert page.input_value("#body_markdown") == "Words."
    page.unroute("**/studio/media")
    problem.get_by_role("button", name="Try again").click()
    expect(page.locator("#body_markdown")).to_have_value(re.compile(r"Words\.\n*.*sea-view\.png"))


def test_a_busy_server_gets_the_image_again(site: Site) -> None:
    """The script waits for Retry-After and needs no click."""
    page = site.open(new_copy(text=""))
    answers = iter([503])

    def answer(route: Route) -> None:
        if next(answers, None) is None:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body="{}")

    page.route("**/studio/media", answer)
    page.set_input_files("#image-files", [image_file()])
    expect(page.locator("#body_markdown")).to_have_value(re.compile(r"sea-view\.png\)$"))


def test_the_library_shows_its_images(site: Site) -> None:
    """Each with a thumbnail that loads, its name, and the text that uses it."""
    media = actions.add_media(image_file()["buffer"], "sea.png", now=NOW, actor=ADA)
    path = next(file.path for file in media.files if file.original)
    new_copy(title="By the sea", text=f"![]({path})")
    page = site.open("/studio/media")
    shown = page.locator(".images img")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 80
    expect(page.locator(".images .name")).to_have_text("sea.png")
    page.click("text=Used in 1 text")
    page.click("text=By the sea")
    expect(page.locator("#title")).to_have_value("By the sea")
    page.goto(f"{site.url}/studio/media")
    page.set_input_files("#files", [image_file("a.png"), image_file("b.png")])
    page.click(".upload button")
    expect(page.locator(".notice")).to_have_text("2 images are stored.")
