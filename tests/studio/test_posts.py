"""The list of posts, and what happens to a post apart from its text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.models import Ownership, Post, Redirect, Role, Status
from app.publishing.permissions import SYSTEM
from app.publishing.queries.post_list import PAGE_SIZE
from app.publishing.transaction import transaction

from .people import Browser, add_person, sign_in
from .writing import NOW, begin, open_post, read_public, save


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


def titles(browser: Browser, query: str = "") -> list[str]:
    """The titles in the list."""
    page = browser.get(f"/studio/posts{query}")
    assert page.status_code == 200
    return re.findall(r'<p class="post-title"><a[^>]*>([^<]*)</a>', page.text)


def test_the_list_has_a_tab_for_each_status(browser: Browser) -> None:
    """With the number of posts; new texts that were never saved come first among the drafts."""
    open_post("Public")
    open_post("Draft", is_public=False)
    post = open_post("Due", is_public=False)
    due = NOW + timedelta(days=20_000)
    actions.schedule(post.id, due, expected_version=1, now=NOW, actor=SYSTEM)
    post = open_post("Old")
    actions.archive(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
    save(browser, begin(browser), title="New & <unsaved>")
    assert titles(browser, "?status=draft") == ["New &amp; &lt;unsaved&gt;", "Draft"]
    assert titles(browser, "?status=scheduled") == ["Due"]
    assert titles(browser, "?status=published") == ["Public"]
    assert titles(browser, "?status=archived") == ["Old"]
    assert len(titles(browser)) == 5
    assert len(titles(browser, "?status=nonsense&page=-3&author=x")) == 5


def test_the_list_is_searched_and_filtered(browser: Browser) -> None:
    """By words of title, slug and text, by author and by topic; wildcards mean themselves."""
    author = actions.save_author(AuthorDraft(name="Zoe"), now=NOW, actor=SYSTEM).id
    topic = actions.save_topic(TopicDraft(name="Rain"), now=NOW, actor=SYSTEM).id
    for draft in (
        Draft(title="One", body_markdown="About umbrellas", author_ids=(author,)),
        Draft(title="Two", body_markdown="About 100% of it", topic_ids=(topic,)),
    ):
        actions.create(draft, now=NOW, actor=SYSTEM)
    assert titles(browser, "?q=UMBRELLAS+about") == ["One"]
    assert titles(browser, "?q=100%25") == ["Two"]
    assert titles(browser, "?q=%25") == ["Two"]
    assert titles(browser, "?q=two") == ["Two"]
    assert titles(browser, f"?author={author}") == ["One"]
    assert titles(browser, f"?topic={topic}&q=about") == ["Two"]
    assert titles(browser, "?q=nothing-like-it") == []


def test_a_long_list_has_pages(browser: Browser) -> None:
    """Each post stands on one of them."""
    for number in range(PAGE_SIZE + 2):
        actions.create(Draft(title=f"Post {number}"), now=NOW, actor=SYSTEM)
    first, second = titles(browser), titles(browser, "?page=2")
    assert (len(first), len(second)) == (PAGE_SIZE, 2)
    assert not set(first) & set(second)
    assert 'rel="next"' in browser.get("/studio/posts").text


def test_a_post_with_unpublished_changes_says_so(browser: Browser) -> None:
    """Not one whose copy was only opened."""
    post = open_post()
    copy_id = int(browser.post(f"/studio/posts/{post.id}/edit").location.rpartition("/")[2])
    assert "Unpublished changes" not in browser.get("/studio/posts").text
    save(browser, copy_id, body_markdown="Other")
    assert "Unpublished changes" in browser.get("/studio/posts").text


def test_a_writer_sees_own_and_published_posts(app: Flask) -> None:
    """Drafts of others are in no tab and no count."""
    eve = add_person(Role.WRITER, name="Eve")
    browser = sign_in(app, eve)
    open_post("Public")
    open_post("A secret draft", is_public=False)
    own = open_post("Mine", is_public=False)
    with transaction() as session:
        session.add(Ownership(post_id=own.id, user_id=eve.user_id))
    assert sorted(titles(browser)) == ["Mine", "Public"]
    assert titles(browser, "?q=secret") == []
    page = browser.get("/studio/posts").text
    assert 'Drafts <span class="count">1</span>' in page
    assert browser.get(f"/studio/posts/{own.id}").status_code == 200
    for path in re.findall(r'href="(/[^"]+)"', page):
        assert read_public(browser, path.replace("&amp;", "&")).status_code in {200, 303}, path


def test_a_post_is_unpublished_archived_and_renamed(browser: Browser) -> None:
    """Each leads to the panel; a changed slug names the redirect that it leaves."""
    post = open_post()
    page = browser.get(f"/studio/posts/{post.id}").text
    assert "Readers know the address /articles/first-light. It will redirect" in page
    version = post.version
    answer = browser.post(
        f"/studio/posts/{post.id}/rename", {"slug": "Not a slug", "version": version}
    )
    assert answer.status_code == 422
    assert 'value="Not a slug"' in answer.text
    answer = browser.post(f"/studio/posts/{post.id}/rename", {"slug": "moved", "version": version})
    assert "Renamed" in browser.get(answer.location).text
    assert read_public(browser, "/articles/first-light").location == "/articles/moved"
    for change, status in (("unpublish", Status.DRAFT), ("archive", Status.ARCHIVED)):
        version = db.session.get_one(Post, post.id, populate_existing=True).version
        answer = browser.post(f"/studio/posts/{post.id}/{change}", {"version": version})
        assert browser.get(answer.location).status_code == 200
        assert db.session.get_one(Post, post.id, populate_existing=True).status is status
    assert browser.post(f"/studio/posts/{post.id}/archive", {"version": 1}).status_code == 409
    assert read_public(browser, "/articles/moved").status_code == 404
    assert db.session.scalars(sa.select(Redirect.source)).all() == ["/articles/first-light"]


def test_a_public_address_leads_to_its_post(browser: Browser) -> None:
    """In any spelling; an address of no post is a 404."""
    post = open_post()
    for path in (
        "/articles/first-light",
        "/articles/First-Light/?x=1",
        "http://x/articles/first-light",
    ):
        answer = browser.get("/studio/edit", query_string={"path": path})
        assert answer.location == f"/studio/posts/{post.id}"
    for path in ("/articles/other", "", "/", "//", "a\0b"):
        assert browser.get("/studio/edit", query_string={"path": path}).status_code == 404
