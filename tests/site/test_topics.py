"""Topics and authors, which are listed alike."""

from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.models import Status
from app.publishing.queries import archive

from . import content
from .html import Page


@pytest.mark.parametrize("path", ["/topics/harbour", "/authors/ada"])
def test_it_lists_its_newest_articles(site_app: Flask, path: str) -> None:
    """The newest first, its feeds beside it."""
    answer = site_app.test_client().get(path)
    page = Page(answer.text)
    assert answer.text.index("Lanterns") < answer.text.index("Number 7")
    assert "Plain" not in answer.text
    feeds = [link["href"] for link in page.all("link") if link["rel"] == "alternate"]
    assert {f"{path}/feed.xml", f"{path}/feed.json"} <= set(feeds)


@pytest.mark.parametrize("base", ["/topics/t", "/authors/a"])
def test_older_articles_are_on_numbered_pages(app: Flask, base: str) -> None:
    """The first list leads to the page that goes on, and pages lead to one another and back."""
    for number in range(3 * archive.PAGE_SIZE):
        content.post(f"n{number}", at=content.day(number), topics=["T"], authors=["A"])
    client = app.test_client()
    assert f"{base}/pages/2" in Page(client.get(base).text).links()
    second = Page(client.get(f"{base}/pages/2").text).links()
    assert {f"{base}/pages/1", f"{base}/pages/3"} <= set(second)
    third = Page(client.get(f"{base}/pages/3").text).links()
    assert {f"{base}/pages/2", f"{base}/pages/4"} <= set(third)
    assert client.get(f"{base}/pages/4").headers["Location"] == base
    assert client.get(f"{base}/pages/5").status_code == 404


@pytest.mark.parametrize("base", ["/topics/t", "/authors/a", "/archive"])
def test_a_page_that_is_not_full_leads_to_its_list(app: Flask, base: str) -> None:
    """The list shows its articles; the way is kept like any redirect, until the page is full."""
    for number in range(archive.PAGE_SIZE + 1):
        content.post(f"n{number}", at=content.day(number), topics=["T"], authors=["A"])
    answer = app.test_client().get(f"{base}/pages/2")
    assert (answer.status_code, answer.headers["Location"]) == (302, base)
    assert answer.headers["Cache-Control"].startswith("max-age=0, must-revalidate")
    for number in range(archive.PAGE_SIZE - 1):
        content.post(f"m{number}", at=content.day(90 + number), topics=["T"], authors=["A"])
    assert app.test_client().get(f"{base}/pages/2").status_code == 200


@pytest.mark.parametrize("base", ["/topics/t", "/authors/a", "/archive"])
def test_a_numbered_page_states_its_months(app: Flask, base: str) -> None:
    """Its title and its introduction have the months of its oldest and newest article."""
    for number in (0, 50, 100):
        content.post(f"n{number}", at=content.day(number), topics=["T"], authors=["A"])
    html = app.test_client().get(f"{base}/pages/1").text
    months = "January\u2009–\u2009April 2024"
    assert f"page 1 – {months} – " in html
    assert f'<p class="standfirst">{months}</p>' in html


@pytest.mark.parametrize("path", ["/topics", "/authors"])
def test_only_what_has_articles_is_listed(filled: Flask, path: str) -> None:
    """A topic of drafts alone is not filled."""
    content.post("Hidden", status=Status.DRAFT, topics=["Secret"], authors=["Secret"])
    html = filled.test_client().get(path).text
    assert "Secret" not in html


@pytest.mark.parametrize("path", ["/topics/none", "/authors/none", "/topics/none/pages/1"])
def test_an_unknown_one_is_not_found(app: Flask, path: str) -> None:
    """There is no empty page for it."""
    assert app.test_client().get(path).status_code == 404
