"""The page of the menu in the studio."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.models import Kind, Post, Role
from app.publishing.permissions import SYSTEM

from .people import Browser, add_person, find_fields, sign_in
from .writing import NOW, read_public


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


@pytest.fixture
def pages(app: Flask) -> dict[str, str]:
    """Publish three pages and save a draft; return the field of each by its slug."""
    fields = {}
    for slug in ("about", "contact", "imprint", "draft"):
        draft = Draft(title=f"The {slug} <page>", slug=slug, kind=Kind.PAGE)
        post = actions.create(draft, now=NOW, actor=SYSTEM)
        fields[slug] = f"position-{post.id}"
        if slug != "draft":
            actions.publish(post.id, expected_version=1, now=NOW, actor=SYSTEM)
    return fields


def read_menu() -> list[str]:
    """Return the slugs of the pages in the menu, in its order."""
    db.session.rollback()
    statement = sa.select(Post.slug).where(Post.menu_position.is_not(None))
    return list(db.session.scalars(statement.order_by(Post.menu_position)))


def test_pages_with_a_number_are_in_the_menu_by_their_numbers(
    browser: Browser, pages: dict[str, str]
) -> None:
    """The form then shows them first, numbered from 1; an empty field takes a page out."""
    numbers = {"imprint": "3", "about": "10", "draft": "7", "contact": " "}
    answer = browser.post("/studio/menu", {pages[slug]: text for slug, text in numbers.items()})
    assert (answer.status_code, answer.location) == (303, "/studio/menu")
    assert read_menu() == ["imprint", "draft", "about"]
    page = browser.get("/studio/menu").text
    assert "The about &lt;page&gt;" in page
    assert "(draft: readers do not see it)" in page
    form = find_fields(page)
    assert [form[pages[slug]] for slug in ("imprint", "draft", "about", "contact")] == [
        *("1", "2", "3"),
        "",
    ]
    order = [page.index(f'name="{pages[slug]}"') for slug in ("imprint", "draft", "about")]
    assert order == sorted(order)
    browser.post("/studio/menu", {**form, pages["draft"]: ""})
    assert read_menu() == ["imprint", "about"]


def test_equal_numbers_keep_the_present_order(browser: Browser, pages: dict[str, str]) -> None:
    """So that a page that gets the number of another one stands beside it."""
    actions.arrange_menu(["imprint", "about"], actor=SYSTEM)
    fields = {pages["about"]: "1", pages["imprint"]: "1", pages["contact"]: "1"}
    browser.post("/studio/menu", fields)
    assert read_menu() == ["imprint", "about", "contact"]


def test_the_public_menu_follows(browser: Browser, pages: dict[str, str]) -> None:
    """A reader's page that was stored before shows the new order."""
    browser.post("/studio/menu", {pages["about"]: "1", pages["imprint"]: "2"})
    before = read_public(browser, "/").text
    browser.post("/studio/menu", {pages["about"]: "2", pages["imprint"]: "1"})
    after = read_public(browser, "/").text
    assert before.index("/about") < before.index("/imprint")
    assert after.index("/imprint") < after.index("/about")


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "10001", "9" * 5000, "²"])
def test_a_text_that_is_no_position_is_refused_at_its_field(
    browser: Browser, pages: dict[str, str], text: str
) -> None:
    """The form keeps all texts, and the menu stays."""
    actions.arrange_menu(["imprint"], actor=SYSTEM)
    fields = {pages["about"]: text, pages["contact"]: "4"}
    answer = browser.post("/studio/menu", fields)
    assert answer.status_code == 422
    assert f'<p class="problem" id="{pages["about"]}-note">The position is a number' in answer.text
    assert find_fields(answer.text)[pages["contact"]] == "4"
    assert find_fields(answer.text)[pages["about"]] == text
    assert read_menu() == ["imprint"]


def test_the_menu_is_for_editors(app: Flask, pages: dict[str, str]) -> None:
    """A writer has no link to it and can't open it."""
    browser = sign_in(app, add_person(Role.WRITER, name="Eve"))
    assert "/studio/menu" not in browser.get("/studio").text
    assert browser.get("/studio/menu").status_code == 403
    assert browser.post("/studio/menu", {pages["about"]: "1"}).status_code == 403
    assert read_menu() == []


def test_a_site_without_pages_says_so(browser: Browser) -> None:
    """There is no empty form."""
    page = browser.get("/studio/menu").text
    assert "There are no pages yet." in page
    assert "Save the menu" not in page
