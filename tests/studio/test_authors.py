"""The pages of authors and topics in the studio."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.models import Author, Ownership, Redirect, Role, Topic
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction

from .people import Browser, add_person, find_fields, sign_in
from .writing import NOW, read_public

FIELDS = {
    "authors": {"name": "Zoe", "slug": "zoe", "url": "https://zoe.example/", "bio_markdown": "*Z*"},
    "topics": {"name": "Zinc", "slug": "zinc", "description": "A metal"},
}
MODELS: dict[str, type[Author | Topic]] = {"authors": Author, "topics": Topic}


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


def find_row(resource: str) -> Author | Topic:
    """Return the only author or topic."""
    db.session.rollback()
    model = Author if resource == "authors" else Topic
    rows: list[Author | Topic] = list(db.session.scalars(sa.select(model)))
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("resource", FIELDS)
def test_each_field_is_added_shown_and_changed(browser: Browser, resource: str) -> None:
    """The form of a saved row shows all its fields, and sending it again changes nothing."""
    answer = browser.post(f"/studio/{resource}", FIELDS[resource])
    assert (answer.status_code, answer.location) == (303, f"/studio/{resource}")
    row = find_row(resource)
    form = find_fields(browser.get(f"/studio/{resource}/{row.id}").text)
    assert {name: form[name] for name in FIELDS[resource]} == FIELDS[resource]
    browser.post(f"/studio/{resource}/{row.id}", {**form, "name": "New & <b>"})
    assert find_row(resource).name == "New & <b>"
    assert find_row(resource).slug == row.slug
    assert "New &amp; &lt;b&gt;" in browser.get(f"/studio/{resource}").text


@pytest.mark.parametrize("resource", FIELDS)
def test_a_changed_slug_leaves_the_redirect_that_the_form_names(
    browser: Browser, resource: str
) -> None:
    """Readers who have the old address reach the page."""
    browser.post(f"/studio/{resource}", {"name": "Rain"})
    row = find_row(resource)
    old_path = f"/{resource}/rain"
    hint = f"is {old_path}. If you change the slug, this address redirects to the new one."
    assert hint in browser.get(f"/studio/{resource}/{row.id}").text
    browser.post(f"/studio/{resource}/{row.id}", {"name": "Rain", "slug": "fog"})
    redirects = {one.source: one.target for one in db.session.scalars(sa.select(Redirect))}
    assert redirects == {old_path: f"/{resource}/fog"}
    assert read_public(browser, old_path).location == f"/{resource}/fog"


@pytest.mark.parametrize("resource", FIELDS)
@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"name": ""}, 422, "The name is empty; write one."),
        ({"name": "Other", "slug": "Not a slug"}, 422, "slug"),
        ({"name": "Other", "slug": "rain"}, 409, "choose another"),
    ],
)
def test_an_error_stands_at_its_field_and_the_form_keeps_the_text(
    browser: Browser, resource: str, fields: dict[str, str], status: int, message: str
) -> None:
    """In the form for a new row and in that of a saved one; nothing is written."""
    browser.post(f"/studio/{resource}", {"name": "Rain"})
    browser.post(f"/studio/{resource}", {"name": "Snow"})
    area = "bio_markdown" if resource == "authors" else "description"
    snow = db.session.scalars(
        sa.select(MODELS[resource].id).where(MODELS[resource].slug == "snow")
    ).one()
    for path in (f"/studio/{resource}", f"/studio/{resource}/{snow}"):
        answer = browser.post(path, {**fields, area: "My text"})
        assert answer.status_code == status, path
        field = "name" if not fields["name"] else "slug"
        problem = answer.text.partition(f'<p class="problem" id="{field}-note">')[2]
        assert message in problem.partition("</p>")[0]
        assert find_fields(answer.text)[area] == "My text"
    names = set(db.session.scalars(sa.select(MODELS[resource].name)))
    assert names == {"Rain", "Snow"}


def test_an_author_s_web_page_is_a_web_address(browser: Browser) -> None:
    """A script as an address is refused at the field."""
    answer = browser.post("/studio/authors", {"name": "Eve", "url": "javascript:alert(1)"})
    assert answer.status_code == 422
    assert '<p class="problem" id="url-note">' in answer.text


def test_the_lists_count_the_posts_that_the_user_may_see(app: Flask, browser: Browser) -> None:
    """Drafts count for an editor; for a writer, published posts and own drafts."""
    author = actions.save_author(AuthorDraft(name="Zoe"), now=NOW, actor=SYSTEM).id
    topic = actions.save_topic(TopicDraft(name="Rain"), now=NOW, actor=SYSTEM).id
    eve = add_person(Role.WRITER, name="Eve")
    posts = [
        actions.create(
            Draft(title=title, author_ids=(author,), topic_ids=(topic,)), now=NOW, actor=SYSTEM
        )
        for title in ("Public", "Own", "Secret")
    ]
    actions.publish(posts[0].id, expected_version=1, now=NOW, actor=SYSTEM)
    with transaction() as session:
        session.add(Ownership(post_id=posts[1].id, user_id=eve.user_id))
    assert '">3 posts<' in browser.get("/studio/authors").text
    assert '">3 posts<' in browser.get("/studio/topics").text
    assert '">2 posts<' in sign_in(app, eve).get("/studio/topics").text


def test_a_writer_adds_topics_but_edits_none(app: Flask) -> None:
    """The list of topics has no link to a page that refuses a writer."""
    browser = sign_in(app, add_person(Role.WRITER, name="Eve"))
    assert browser.post("/studio/topics", {"name": "Rain"}).status_code == 303
    topic = find_row("topics")
    page = browser.get("/studio/topics").text
    assert "Rain" in page
    assert f"/studio/topics/{topic.id}" not in page
    assert "/studio/authors" not in page
    assert browser.get(f"/studio/topics/{topic.id}").status_code == 403
    assert browser.post(f"/studio/topics/{topic.id}", {"name": "Fog"}).status_code == 403
    assert browser.get("/studio/authors").status_code == 403


@pytest.mark.parametrize("resource", FIELDS)
def test_a_row_that_is_gone_is_404(browser: Browser, resource: str) -> None:
    """For the form and for saving it, also with an error in a field."""
    assert browser.get(f"/studio/{resource}/99").status_code == 404
    assert browser.post(f"/studio/{resource}/99", {"name": "Rain"}).status_code == 404
    assert browser.post(f"/studio/{resource}/99", {"name": ""}).status_code == 404


def test_a_topic_is_merged_from_its_page(browser: Browser) -> None:
    """The form offers the other topics; the answer leads to the one that has the posts now."""
    rain, fog = (
        actions.save_topic(TopicDraft(name=name), now=NOW, actor=SYSTEM).id
        for name in ("Rain", "Fog")
    )
    page = browser.get(f"/studio/topics/{rain}").text
    assert f'<option value="{fog}">Fog</option>' in page
    assert f'<option value="{rain}">' not in page
    assert "/topics/rain redirects to it" in page
    answer = browser.post(f"/studio/topics/{rain}/merge", {"into": fog})
    assert (answer.status_code, answer.location) == (303, f"/studio/topics/{fog}")
    assert find_row("topics").name == "Fog"
    assert read_public(browser, "/topics/rain").location == "/topics/fog"
    assert browser.post(f"/studio/topics/{rain}/merge", {"into": fog}).status_code == 404


@pytest.mark.parametrize("into", ["", "x", "itself"])
def test_a_merge_without_another_topic_is_refused_at_the_field(browser: Browser, into: str) -> None:
    """No topic is deleted."""
    rain = actions.save_topic(TopicDraft(name="Rain"), now=NOW, actor=SYSTEM).id
    actions.save_topic(TopicDraft(name="Fog"), now=NOW, actor=SYSTEM)
    chosen = str(rain) if into == "itself" else into
    answer = browser.post(f"/studio/topics/{rain}/merge", {"into": chosen})
    assert answer.status_code == 422
    assert '<p class="problem" id="into-note">Choose the topic' in answer.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Topic)) == 2
