"""The editor without scripts: everything works by links and forms."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, CopyFields, Draft, TopicDraft
from app.publishing.models import Fork, Kind, Post, Presence, Revision, Role, Status, WorkingCopy
from app.publishing.permissions import SYSTEM, Actor

from .people import Browser, add_person, find_fields, sign_in
from .writing import NOW, begin, copy_of, edit, json_of, open_post, read_public, save

TEXT = "One two three.\n\nFour five six."


@pytest.fixture
def ada(app: Flask) -> Actor:
    """An editor."""
    return add_person(Role.EDITOR, name="Ada")


@pytest.fixture
def browser(app: Flask, ada: Actor) -> Browser:
    """Her browser."""
    return sign_in(app, ada)


def test_a_post_is_written_and_published_without_scripts(browser: Browser) -> None:
    """Begin, save, preview, publish: the public page has the text afterwards, and not before."""
    copy_id = begin(browser)
    answer = save(browser, copy_id, title="First light", body_markdown=TEXT, next="preview")
    assert answer.location == f"/studio/copies/{copy_id}/preview"
    assert "<p>One two three.</p>" in browser.get(answer.location).text
    assert read_public(browser, "/articles/first-light").status_code == 404
    answer = save(browser, copy_id, next="publish")
    plan = browser.get(answer.location)
    assert "What changes for readers" in plan.text
    version = find_fields(plan.text)["version"]
    answer = browser.post(f"/studio/copies/{copy_id}/publish", {"version": version})
    assert answer.status_code == 303
    panel = browser.get(answer.location)
    assert panel.status_code == 200
    assert "Published: " in panel.text
    assert "<p>One two three.</p>" in read_public(browser, "/articles/first-light").text


def test_every_field_of_the_form_is_saved_and_shown_again(browser: Browser, app: Flask) -> None:
    """Authors and topics are names with commas between them, in any case; new ones are kept."""
    zoe = actions.save_author(AuthorDraft(name="Zoe, the older"), now=NOW, actor=SYSTEM).id
    max_ = actions.save_author(AuthorDraft(name="Max"), now=NOW, actor=SYSTEM).id
    rain = actions.save_topic(TopicDraft(name="Rain"), now=NOW, actor=SYSTEM).id
    copy_id = begin(browser)
    values = {
        "title": 'A "quoted" <title> & مدينة 🎈',
        "slug": "a-slug",
        "summary": "In\r\nshort",
        "body_markdown": "\n\nText </textarea> & more\r\n",
        "language": "de",
        "authors": "max,  ZOE, the older , Eve",
        "topics": "Snow, rain",
        "cover_alt": "A tree",
        "cover_id": "",
    }
    save(browser, copy_id, **values)
    fields = CopyFields.from_json(copy_of(copy_id).fields)
    assert fields == CopyFields(
        title=values["title"],
        slug="a-slug",
        summary="In short",
        body_markdown="\n\nText </textarea> & more\n",
        language="de",
        author_ids=(max_, zoe),
        new_authors=("Eve",),
        topic_ids=(rain,),
        new_topics=("Snow",),
        cover_alt="A tree",
    )
    form = edit(browser, copy_id)
    assert form["authors"] == "Max, Zoe, the older, Eve"
    assert form["topics"] == "Rain, Snow"
    assert (form["title"], form["slug"], form["language"]) == (values["title"], "a-slug", "de")
    assert form["body_markdown"] == "\n\nText </textarea> & more\n"
    saved = copy_of(copy_id).version
    save(browser, copy_id)
    assert copy_of(copy_id).version == saved


def test_a_text_beyond_its_limit_is_given_back(browser: Browser) -> None:
    """With the problem at the field, and what is stored unchanged."""
    copy_id = begin(browser)
    answer = save(browser, copy_id, title="x" * 301, body_markdown="Kept text")
    assert answer.status_code == 422
    fields = find_fields(answer.text)
    assert (fields["title"], fields["body_markdown"]) == ("x" * 301, "Kept text")
    assert 'aria-describedby="title-problem"' in answer.text
    assert copy_of(copy_id).fields["title"] == ""


def test_two_editors_are_merged_and_told_of_one_another(app: Flask, browser: Browser) -> None:
    """The second one saves on the version that both have loaded."""
    other = sign_in(app, add_person(Role.OWNER, name="Bob"))
    copy_id = begin(browser)
    save(browser, copy_id, body_markdown=TEXT)
    mine, yours = edit(browser, copy_id), edit(other, copy_id)
    browser.post(f"/studio/copies/{copy_id}", {**mine, "body_markdown": TEXT.replace("two", "2")})
    answer = other.post(
        f"/studio/copies/{copy_id}", {**yours, "body_markdown": TEXT.replace("five", "5")}
    )
    page = other.get(answer.location).text
    assert "Another editor saved in between" in page
    assert copy_of(copy_id).fields["body_markdown"] == "One 2 three.\n\nFour 5 six."


def make_fork(browser: Browser, other: Browser, copy_id: int) -> str:
    """Change the same word in two browsers; return the address of the comparison."""
    save(browser, copy_id, body_markdown=TEXT)
    mine, yours = edit(browser, copy_id), edit(other, copy_id)
    path = f"/studio/copies/{copy_id}"
    browser.post(path, {**mine, "body_markdown": TEXT.replace("two", "2")})
    answer = other.post(path, {**yours, "body_markdown": TEXT.replace("two", "zwei")})
    assert answer.status_code == 303
    return str(answer.location)


def test_a_conflict_shows_both_texts(app: Flask, browser: Browser) -> None:
    """Side by side, and in full; the person saves what they made of both."""
    other = sign_in(app, add_person(Role.OWNER, name="Bob"))
    copy_id = begin(browser)
    address = make_fork(browser, other, copy_id)
    page = other.get(address).text
    assert "<del> 2</del>" in page
    assert "<ins> zwei</ins>" in page
    assert page.count("One zwei three.") == 1
    assert "could not be merged" in browser.get(f"/studio/copies/{copy_id}").text
    form = find_fields(page)
    answer = other.post(address, {**form, "body_markdown": "One 2 or zwei three."})
    assert answer.location == f"/studio/copies/{copy_id}?note=resolved"
    assert copy_of(copy_id).fields["body_markdown"] == "One 2 or zwei three."
    assert db.session.scalars(sa.select(Fork)).all() == []


def test_a_resolution_that_comes_too_late_is_kept(app: Flask, browser: Browser) -> None:
    """Another editor saved during the comparison: the resolution becomes a fork, too."""
    other = sign_in(app, add_person(Role.OWNER, name="Bob"))
    copy_id = begin(browser)
    address = make_fork(browser, other, copy_id)
    form = find_fields(other.get(address).text)
    save(browser, copy_id, body_markdown="One 22 three.")
    answer = other.post(address, {**form, "body_markdown": "One 2 or zwei three."})
    assert answer.status_code == 409
    db.session.rollback()
    texts = {fork.fields["body_markdown"] for fork in db.session.scalars(sa.select(Fork))}
    assert "One 2 or zwei three." in texts
    assert copy_of(copy_id).fields["body_markdown"] == "One 22 three."


def test_a_fork_is_discarded(app: Flask, browser: Browser) -> None:
    """The working copy keeps its text."""
    other = sign_in(app, add_person(Role.OWNER, name="Bob"))
    copy_id = begin(browser)
    address = make_fork(browser, other, copy_id)
    other.post(f"{address}/discard")
    assert db.session.scalars(sa.select(Fork)).all() == []
    assert copy_of(copy_id).fields["body_markdown"] == TEXT.replace("two", "2")


def send(browser: Browser, copy_id: int, **body: Any) -> Any:
    """Save as the script does."""
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": browser.csrf}
    return browser.client.post(f"/studio/copies/{copy_id}", json=body, headers=headers)


def test_a_script_saves_and_adopts_the_version(browser: Browser) -> None:
    """The text comes back only if a merge has changed it."""
    copy_id = begin(browser)
    first = send(browser, copy_id, version=1, tab="a", title="T", body_markdown=TEXT)
    assert (json_of(first)["outcome"], json_of(first)["version"]) == ("saved", 2)
    assert "fields" not in json_of(first)
    send(browser, copy_id, version=2, tab="a", title="T", body_markdown=TEXT.replace("two", "2"))
    second = send(
        browser, copy_id, version=2, tab="b", title="T", body_markdown=TEXT.replace("six", "6")
    )
    assert (json_of(second)["outcome"], json_of(second)["version"]) == ("merged", 4)
    assert json_of(second)["fields"]["body_markdown"] == "One 2 three.\n\nFour five 6."
    third = send(
        browser, copy_id, version=2, tab="c", title="T", body_markdown=TEXT.replace("two", "zwei")
    )
    assert (third.status_code, json_of(third)["version"]) == (409, 4)
    assert browser.get(json_of(third)["compare"]).status_code == 200


def test_a_script_without_a_session_is_told_so(app: Flask, browser: Browser) -> None:
    """It keeps the text, and lets the user log in; the page is not replaced by a log-in form."""
    copy_id = begin(browser)
    answer = app.test_client().post(
        f"/studio/copies/{copy_id}",
        json={"version": 1},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert (answer.status_code, json_of(answer)["error"]) == (401, "session-ended")


@pytest.mark.parametrize("body", [{}, {"version": "x"}, {"version": None, "title": 7, "tab": []}])
def test_a_malformed_save_loses_nothing(browser: Browser, body: dict[str, Any]) -> None:
    """Values of another type are empty; the copy keeps its text, and the rest is a fork."""
    copy_id = begin(browser)
    save(browser, copy_id, title="Kept")
    assert send(browser, copy_id, **body).status_code in {200, 409}
    assert copy_of(copy_id).fields["title"] == "Kept"


def test_a_save_into_a_published_copy_gives_the_text_back(browser: Browser) -> None:
    """An editor in another tab has published it."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light", body_markdown=TEXT)
    form = edit(browser, copy_id)
    browser.post(f"/studio/copies/{copy_id}/publish", {"version": form["version"]})
    answer = browser.post(f"/studio/copies/{copy_id}", {**form, "body_markdown": "Later words."})
    assert answer.status_code == 410
    assert "Later words." in answer.text
    post_id = db.session.scalars(sa.select(Post.id)).one()
    answer = send(browser, copy_id, version=2, title="x")
    assert (answer.status_code, json_of(answer)["edit"]) == (410, f"/studio/posts/{post_id}/edit")
    answer = browser.get(f"/studio/copies/{copy_id}")
    assert answer.location.startswith("/studio/publishing/")


def test_a_copy_is_discarded(browser: Browser) -> None:
    """Only in the version that was shown; then it leads to the list or to the post."""
    copy_id = begin(browser)
    assert browser.post(f"/studio/copies/{copy_id}/discard", {"version": 9}).status_code == 409
    answer = browser.post(f"/studio/copies/{copy_id}/discard", {"version": 1})
    assert answer.location == "/studio/posts"
    assert browser.get(f"/studio/copies/{copy_id}").status_code == 404
    post = open_post()
    copy_id = int(browser.post(f"/studio/posts/{post.id}/edit").location.rpartition("/")[2])
    answer = browser.post(f"/studio/copies/{copy_id}/discard", {"version": 1})
    assert answer.location == f"/studio/posts/{post.id}"


def test_an_editor_sees_who_else_is_there(app: Flask, browser: Browser) -> None:
    """In the page, and by the script; a closed tab is gone at once."""
    other = sign_in(app, add_person(Role.OWNER, name="Bob <b>"))
    copy_id = begin(browser)
    path = f"/studio/copies/{copy_id}/presence.json"
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": other.csrf}
    other.client.post(path, json={"tab": "t", "unsaved": True}, headers=headers)
    assert "Bob &lt;b&gt; has this open too" in browser.get(f"/studio/copies/{copy_id}").text
    presence = json_of(browser.get(f"{path}?tab=x"))
    assert presence == {"version": 1, "others": [{"name": "Bob <b>", "unsaved": True}]}
    assert json_of(other.get(f"{path}?tab=t"))["others"] == []
    other.client.post(path, json={"tab": "t", "closed": True}, headers=headers)
    assert json_of(browser.get(path))["others"] == []


def test_opening_the_editor_writes_nothing(browser: Browser) -> None:
    """A link of a GET can't change anything."""
    copy_id = begin(browser)
    before = copy_of(copy_id).updated_at
    browser.get(f"/studio/copies/{copy_id}")
    assert db.session.scalars(sa.select(Presence)).all() == []
    assert copy_of(copy_id).updated_at == before


def test_a_newer_revision_is_compared_and_merged(browser: Browser) -> None:
    """The post was imported again while its copy had changes."""
    post = open_post()
    copy_id = int(browser.post(f"/studio/posts/{post.id}/edit").location.rpartition("/")[2])
    save(browser, copy_id, body_markdown="One 2 three.\n\nFour five six.")
    draft = Draft(title="First light", body_markdown=TEXT.replace("five", "5"))
    db.session.refresh(post)
    actions.revise(post.id, draft, expected_version=post.version, now=NOW, actor=SYSTEM)
    plan = browser.get(f"/studio/copies/{copy_id}/publish").text
    assert f'href="/studio/copies/{copy_id}/newer"' in plan
    page = browser.get(f"/studio/copies/{copy_id}/newer").text
    form = find_fields(page)
    assert form["body_markdown"] == "One 2 three.\n\nFour 5 six."
    answer = browser.post(f"/studio/copies/{copy_id}/newer", form)
    assert answer.status_code == 303
    assert copy_of(copy_id).base_revision == 2
    assert "What changes for readers" in browser.get(f"/studio/copies/{copy_id}/publish").text


def test_a_writer_asks_for_a_review(app: Flask) -> None:
    """Editors see it in the list; the writer has no button that publishes."""
    eve = sign_in(app, add_person(Role.WRITER, name="Eve"))
    copy_id = begin(eve)
    save(eve, copy_id, title="Mine")
    page = eve.get(f"/studio/copies/{copy_id}").text
    assert "Publish…" not in page
    eve.post(f"/studio/copies/{copy_id}/review", {"ready": "1"})
    editor = sign_in(app, add_person(Role.EDITOR))
    assert "Ready for review" in editor.get("/studio/posts").text
    for path in ("publish", "schedule"):
        assert eve.post(f"/studio/copies/{copy_id}/{path}", {"version": 2}).status_code == 403
    answer = eve.post(f"/studio/copies/{copy_id}/save", {"version": 2})
    assert answer.status_code == 303
    post = db.session.scalars(sa.select(Post)).one()
    assert (post.status, post.title) == (Status.DRAFT, "Mine")


def test_another_writers_copy_does_not_exist(app: Flask, browser: Browser) -> None:
    """Neither its editor nor anything below it."""
    copy_id = begin(browser)
    save(browser, copy_id, title="A secret title")
    eve = sign_in(app, add_person(Role.WRITER, name="Eve"))
    for path in ("", "/preview", "/presence.json", "/newer"):
        answer = eve.get(f"/studio/copies/{copy_id}{path}")
        assert answer.status_code == 404
        assert "secret title" not in answer.text
    assert "secret title" not in eve.get("/studio/posts").text


def test_revisions_are_compared_and_restored(browser: Browser) -> None:
    """The difference shows the words that changed; restore goes into the working copy."""
    post = open_post()
    db.session.refresh(post)
    draft = Draft(title="First light", body_markdown=TEXT.replace("five", "5 <b>"))
    actions.revise(post.id, draft, expected_version=post.version, now=NOW, actor=SYSTEM)
    page = browser.get(f"/studio/posts/{post.id}/revisions").text
    assert "Revision 2" in page
    page = browser.get(f"/studio/posts/{post.id}/revisions/1..2").text
    assert "<del> five</del>" in page
    assert "<ins> 5 &lt;b&gt;</ins>" in page
    assert " style=" not in page
    answer = browser.post(f"/studio/posts/{post.id}/revisions/1/restore")
    copy_id = int(answer.location.rpartition("/")[2])
    assert copy_of(copy_id).fields["body_markdown"] == TEXT
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Revision)) == 2
    assert browser.get(f"/studio/posts/{post.id}/revisions/1..9").status_code == 404


def test_forms_carry_the_token_of_the_session(browser: Browser) -> None:
    """A POST without it is refused, and nothing is written."""
    copy_id = begin(browser)
    path = f"/studio/copies/{copy_id}"
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", browser.get(path).text, re.DOTALL)
    assert len(forms) > 3
    assert all(f'name="csrf" value="{browser.csrf}"' in unescape(form) for form in forms)
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = browser.client.post(path, data={"version": 1, "title": "Forged"}, headers=headers)
    assert answer.status_code == 403
    assert copy_of(copy_id).fields["title"] == ""
    assert db.session.scalars(sa.select(WorkingCopy.kind)).one() is Kind.ARTICLE
