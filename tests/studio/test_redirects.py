"""The redirects in the studio."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.publishing import actions
from app.publishing.models import Role
from app.publishing.permissions import SYSTEM
from app.publishing.queries.redirect_list import PAGE_SIZE

from .people import Browser, add_person, sign_in
from .writing import NOW, open_post, read_public


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


def sources(browser: Browser, query: str = "") -> list[str]:
    """The old paths in the list."""
    page = browser.get(f"/studio/redirects{query}")
    assert page.status_code == 200
    return re.findall(r'<p dir="ltr">([^<]*)</p>', page.text)


def add(browser: Browser, source: str, target: str) -> str:
    """Add a redirect and return where the answer leads."""
    answer = browser.post("/studio/redirects", {"source": source, "target": target})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_redirect_is_added_and_deleted(browser: Browser) -> None:
    """Readers are redirected, and get 404 after the deletion."""
    assert sources(browser) == []
    assert add(browser, "/Old/", "https://example.com/new") == "/studio/redirects?q=/old"
    answer = read_public(browser, "/old")
    assert answer.location == "https://example.com/new"
    page = browser.get("/studio/redirects").text
    path = re.findall(r'action="(/studio/redirects/\d+/delete)"', page)[0]
    assert browser.post(path, {"q": "old"}).location == "/studio/redirects?q=old"
    assert read_public(browser, "/old").status_code == 404
    assert browser.post(path).status_code == 404


def test_a_redirect_to_a_post_follows_its_slug(browser: Browser) -> None:
    """The path of a post is saved as a redirect to the post; the list names its title."""
    post = open_post("First light")
    add(browser, "/old", "/articles/first-light")
    version = post.version
    actions.rename(post.id, "dawn", expected_version=version, now=NOW, actor=SYSTEM)
    assert read_public(browser, "/old").location == "/articles/dawn"
    assert "“First light”" in browser.get("/studio/redirects?q=/old").text


def test_a_chain_is_saved_as_its_end(browser: Browser) -> None:
    """A redirect to a redirect leads to the end of the chain at once."""
    add(browser, "/b", "/archive")
    add(browser, "/a", "/b")
    assert read_public(browser, "/a").location == "/archive"


@pytest.mark.parametrize(
    ("source", "target", "field", "sentence"),
    [
        ("/one", "/ONE/", "target", "would lead to itself"),
        ("/b", "/a", "target", "would lead to itself"),
        ("/", "/archive", "source", "home page"),
        ("/a", "/archive", "source", "already leads somewhere else"),
        ("/articles/first-light", "/archive", "source", "is the address of the article"),
        ("/studio/x", "/archive", "source", "belongs to the studio"),
        ("/x", "javascript:alert(1)", "target", "javascript"),
        ("/x", "", "target", "Write a path such as /archive"),
    ],
)
def test_a_redirect_with_an_error_is_shown_again(
    browser: Browser, source: str, target: str, field: str, sentence: str
) -> None:
    """The error stands at its field, the form keeps both values, and nothing is saved."""
    open_post("First light")
    add(browser, "/a", "/b")
    answer = browser.post("/studio/redirects", {"source": source, "target": target})
    assert answer.status_code == 422
    note = re.search(rf'class="problem" id="{field}-note">([^<]+)<', answer.text)
    assert note is not None
    assert sentence in note[1]
    assert f'value="{source}"' in answer.text
    assert f'value="{target}"' in answer.text
    assert sources(browser) == ["/a"]


def test_the_list_is_searched_and_has_pages(browser: Browser) -> None:
    """Wildcards mean themselves; each redirect stands on one page."""
    for number in range(PAGE_SIZE + 2):
        target = f"https://example.com/{number}"
        actions.add_redirect(f"/old/{number:03}", target=target, now=NOW, actor=SYSTEM)
    first, second = sources(browser), sources(browser, "?page=2")
    assert (len(first), len(second)) == (PAGE_SIZE, 2)
    assert not set(first) & set(second)
    assert sources(browser, "?q=OLD/007") == ["/old/007"]
    assert sources(browser, "?q=example.com/12") == ["/old/012"]
    assert sources(browser, "?q=%25") == []
    assert sources(browser, "?page=-1&q=/049") == ["/old/049"]


def test_writers_have_no_redirects(app: Flask) -> None:
    """Neither the page nor the link to it."""
    browser = sign_in(app, add_person(Role.WRITER))
    assert browser.get("/studio/redirects").status_code == 403
    assert "/studio/redirects" not in browser.get("/studio").text
