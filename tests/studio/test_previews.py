"""Previews are the public page to the byte, and no cache stores one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.models import Kind, Post, PreviewLink, Role, Site
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction
from tests.site import content

from .people import Browser, add_person, sign_in
from .writing import NOW, begin, copy_of, json_of, open_post, read_public, save


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


def publish_everything() -> list[Post]:
    """Publish articles with neighbours, authors, topics and a cover, and a page in the menu."""
    with transaction() as session:
        session.get_one(Site, 1).tagline = "Daily"
        cover = content.image(session, "oak").id
    authors = [actions.save_author(AuthorDraft(name=n), now=NOW, actor=SYSTEM).id for n in "ba"]
    topics = [actions.save_topic(TopicDraft(name=n), now=NOW, actor=SYSTEM).id for n in "dc"]
    posts = []
    for number in range(4):
        draft = Draft(
            title=f"Post {number}",
            body_markdown=f"Text {number} *with* `code`.\n\n## A heading\n\n- [ ] item\n\n```python\nx = 1\n```",
            kind=Kind.PAGE if number == 3 else Kind.ARTICLE,
            author_ids=tuple(authors) if number < 3 else (),
            topic_ids=tuple(topics[: number + 1]) if number < 3 else (),
            cover_id=cover if number % 2 else None,
            cover_alt="An oak" if number % 2 else "",
            summary="In short." if number == 1 else "",
            language="de" if number == 2 else None,
            menu_position=1 if number == 3 else None,
        )
        post = actions.create(draft, now=NOW, actor=SYSTEM)
        at = NOW + timedelta(days=number)
        posts.append(actions.publish(post.id, expected_version=1, now=at, actor=SYSTEM))
    return posts


def test_the_preview_of_an_unchanged_post_is_its_public_page(browser: Browser) -> None:
    """To the byte, for articles with everything around them and for pages."""
    paths = {post.id: post.path for post in publish_everything()}
    for post_id, path in paths.items():
        public = read_public(browser, path)
        assert public.status_code == 200
        copy_id = int(browser.post(f"/studio/posts/{post_id}/edit").location.rpartition("/")[2])
        preview = browser.get(f"/studio/copies/{copy_id}/preview")
        assert preview.data == public.data


def test_the_preview_of_a_draft_is_the_page_that_is_published(browser: Browser, app: Flask) -> None:
    """Apart from the instants at which it was rendered and published."""
    copy_id = begin(browser)
    save(browser, copy_id, title="New", body_markdown="Some *text*.", topics="Rain", authors="Eve")
    preview = browser.get(f"/studio/copies/{copy_id}/preview").text
    version = copy_of(copy_id).version
    browser.post(f"/studio/copies/{copy_id}/publish", {"version": version})
    public = read_public(browser, "/articles/new").text
    instant = r"\d{4}-\d\d-\d\dT[\d:]+\+00:00"
    assert re.sub(instant, "", preview) == re.sub(instant, "", public)


def test_a_posted_text_is_shown_and_not_saved(browser: Browser) -> None:
    """By the form and by the script; an error is a sentence."""
    copy_id = begin(browser)
    path = f"/studio/copies/{copy_id}/preview"
    assert "<p>By the form</p>" in browser.post(path, {"body_markdown": "By the form"}).text
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": browser.csrf}
    answer = browser.client.post(path, json={"body_markdown": "By script"}, headers=headers)
    assert "<p>By script</p>" in answer.text
    answer = browser.client.post(path, json={"body_markdown": "x" * 600_000}, headers=headers)
    assert answer.status_code == 422
    assert "the most" in json_of(answer)["message"]
    assert copy_of(copy_id).version == 1
    assert db.session.scalars(sa.select(Post)).all() == []


def test_a_preview_runs_no_script_and_sends_nothing(browser: Browser) -> None:
    """Only the studio may frame it; no page may frame a preview link."""
    copy_id = begin(browser)
    save(browser, copy_id, title="T")
    in_frame = browser.get(f"/studio/copies/{copy_id}/preview").headers
    alone = browser.get(make_link(browser, copy_id)).headers
    for headers, ancestors, option in (
        (in_frame, "'self'", "SAMEORIGIN"),
        (alone, "'none'", "DENY"),
    ):
        policy = headers["Content-Security-Policy"]
        for directive in ("script-src 'none'", "connect-src 'none'", "form-action 'none'"):
            assert directive in policy
        assert f"frame-ancestors {ancestors}" in policy
        assert headers["X-Frame-Options"] == option
        assert headers["Cache-Control"] == "private, no-store"
    assert (
        "frame-src 'self'"
        in browser.get(f"/studio/copies/{copy_id}").headers["Content-Security-Policy"]
    )


def make_link(browser: Browser, copy_id: int, label: str = "") -> str:
    """Make a preview link; return its path."""
    page = browser.post(f"/studio/copies/{copy_id}/links", {"label": label}).text
    match = re.search(r'value="[^"]*(/preview/[a-z2-7]{32})"', page)
    assert match
    return match[1]


def test_a_link_shows_the_working_copy_to_a_stranger(app: Flask, browser: Browser) -> None:
    """Without a session, also after the post was saved and published."""
    stranger = app.test_client()
    copy_id = begin(browser)
    save(browser, copy_id, title="Secret", body_markdown="First words.")
    path = make_link(browser, copy_id, "Zoe")
    assert "First words." in stranger.get(path).text
    save(browser, copy_id, body_markdown="Second words.")
    assert "Second words." in stranger.get(path).text
    version = copy_of(copy_id).version
    browser.post(f"/studio/copies/{copy_id}/save", {"version": version})
    assert "Second words." in stranger.get(path).text
    browser.post(f"/studio/copies/{copy_id}/publish", {"version": version})
    answer = stranger.get(path)
    assert "Second words." in answer.text
    assert (
        path.rpartition("/")[2] not in db.session.scalars(sa.select(PreviewLink.token_hash)).one()
    )


def test_the_page_of_a_link_is_not_indexed_and_names_no_address(browser: Browser) -> None:
    """No canonical link, no data for search engines, no referrer, no cookie."""
    copy_id = begin(browser)
    save(browser, copy_id, title="Secret")
    for kind in ("article", "page"):
        copy_id = begin(browser, kind)
        save(browser, copy_id, title="Secret")
        answer = browser.get(make_link(browser, copy_id))
        assert '<meta name="robots" content="noindex">' in answer.text
        for text in ("canonical", "ld+json", "og:url", "articles/secret", "%2Fsecret", '.md"'):
            assert text not in answer.text
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in answer.headers


def test_a_link_that_does_not_work_is_not_there(app: Flask, browser: Browser) -> None:
    """Unknown, expired and revoked links get the same answer."""
    copy_id = begin(browser)
    save(browser, copy_id, title="Secret")
    old, ended = make_link(browser, copy_id), make_link(browser, copy_id)
    links = db.session.scalars(sa.select(PreviewLink).order_by(PreviewLink.id)).all()
    with transaction() as session:
        session.get_one(PreviewLink, links[0].id).expires_at = NOW - timedelta(days=900)
    ids = [link.id for link in db.session.scalars(sa.select(PreviewLink).order_by(PreviewLink.id))]
    assert browser.post(f"/studio/previews/{ids[1]}/revoke").status_code == 303
    answers = [app.test_client().get(path) for path in (old, ended, f"/preview/{'a' * 32}")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.data for answer in answers}) == 1
    assert {answer.headers["Cache-Control"] for answer in answers} == {"private, no-store"}


def test_a_preview_leaves_nothing_behind(browser: Browser) -> None:
    """No row is written, and no page is registered."""
    copy_id = begin(browser)
    save(browser, copy_id, title="Secret", topics="New", authors="Eve")
    tables = ("post", "author", "topic", "revision", "edge_page", "edge_change")
    counts = [sa.text(f"SELECT count(*) FROM {table}") for table in tables]
    before = [db.session.scalar(count) for count in counts]
    browser.get(f"/studio/copies/{copy_id}/preview")
    browser.post(f"/studio/copies/{copy_id}/preview", {"title": "Other", "topics": "More"})
    assert [db.session.scalar(count) for count in counts] == before
    assert not db.session.new
    assert not db.session.dirty


def test_the_preview_of_a_scheduled_post_has_its_due_time(browser: Browser) -> None:
    """A draft has the time of now."""
    post = open_post(is_public=False)
    due = NOW + timedelta(days=20000)
    actions.schedule(post.id, due, expected_version=1, now=NOW, actor=SYSTEM)
    copy_id = int(browser.post(f"/studio/posts/{post.id}/edit").location.rpartition("/")[2])
    assert due.isoformat() in browser.get(f"/studio/copies/{copy_id}/preview").text
