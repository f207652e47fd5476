"""Publishing from the studio: the plan before it, schedules with a zone, the panel after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.changes.timestamps import to_microseconds
from app.edge.pages.impact import Impact
from app.edge.purge.entry_state import EntryKind, EntryState
from app.edge.purge.tables import outbox
from app.edge.purge.tables import tier as tiers
from app.extensions import db
from app.publishing.models import Post, Publication, Role, Status
from app.publishing.queries.publications import TierState, progress_of
from app.publishing.transaction import transaction
from app.studio.costs import cost_of, count_calls

from .people import Browser, add_person, find_fields, sign_in
from .writing import NOW, begin, copy_of, json_of, open_post, read_public, save


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR, name="Ada"))


def test_the_plan_lists_the_pages_that_are_refreshed(browser: Browser) -> None:
    """The cached pages that change, and no others; no row is written."""
    other = open_post("Other").path
    post = open_post()
    post_id, path = post.id, post.path
    for public in ("/", path, "/topics", other):
        assert read_public(browser, public).status_code == 200
    copy_id = int(browser.post(f"/studio/posts/{post_id}/edit").location.rpartition("/")[2])
    save(browser, copy_id, body_markdown="Another text, which its own page shows.", summary="s")
    plan = browser.get(f"/studio/copies/{copy_id}/publish").text
    assert f'<li dir="ltr">{path}</li>' in plan
    assert "/topics</li>" not in plan
    plan_data = json_of(browser.get(f"/studio/copies/{copy_id}/plan.json"))
    assert path in plan_data["urls"]
    assert (plan_data["everything"], f"{len(plan_data['urls'])} page" in plan) == ("", True)
    assert copy_of(copy_id).version == 2
    assert db.session.scalars(sa.select(Publication)).all() == []
    answer = browser.post(f"/studio/copies/{copy_id}/publish", {"version": 2})
    publication = db.session.scalars(sa.select(Publication)).one()
    assert publication.urls == plan_data["urls"]
    assert path in browser.get(answer.location).text


def test_publish_pressed_twice_leads_to_the_same_panel(browser: Browser) -> None:
    """The second request is no error, and publishes nothing more."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light")
    path = f"/studio/copies/{copy_id}/publish"
    first = browser.post(path, {"version": 2})
    second = browser.post(path, {"version": 2})
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(db.session.scalars(sa.select(Publication)).all()) == 1


def test_a_text_that_was_saved_meanwhile_is_not_published(browser: Browser) -> None:
    """The plan is shown again, with the newer version."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light")
    save(browser, copy_id, title="Second light")
    answer = browser.post(f"/studio/copies/{copy_id}/publish", {"version": 2})
    assert answer.status_code == 409
    assert "saved since you loaded it" in answer.text
    assert find_fields(answer.text)["version"] == "3"
    assert db.session.scalars(sa.select(Post)).all() == []


def test_a_title_is_needed(browser: Browser) -> None:
    """The plan says what is missing, and leads back to the text."""
    copy_id = begin(browser)
    plan = browser.get(f"/studio/copies/{copy_id}/publish").text
    assert "The title is empty" in plan
    assert f'href="/studio/copies/{copy_id}"' in plan
    assert "Publish now" not in plan
    assert browser.get(f"/studio/copies/{copy_id}/plan.json").status_code == 409


def test_a_post_is_scheduled_in_a_time_zone(browser: Browser) -> None:
    """The instant is stored; the panel says it with the zone."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light")
    fields = {"version": 2, "due": "2031-07-01T09:30", "zone": "Europe/Berlin"}
    answer = browser.post(f"/studio/copies/{copy_id}/schedule", fields)
    post = db.session.scalars(sa.select(Post)).one()
    assert post.status is Status.SCHEDULED
    assert post.published_at == datetime(2031, 7, 1, 7, 30, tzinfo=UTC)
    assert "1 July 2031, 07:30 (UTC, UTC+00:00)" in browser.get(answer.location).text


@pytest.mark.parametrize(
    ("due", "zone", "sentence"),
    [
        ("2020-01-01T09:30", "UTC", "That time is past"),
        ("", "UTC", "Write the date and time"),
        ("tomorrow", "UTC", "Write the date and time"),
        ("2031-07-01T09:30", "Mars/Base", "no time zone"),
        ("2031-03-30T02:30", "Europe/Berlin", "does not exist"),
        ("2031-10-26T02:30", "Europe/Berlin", "comes twice"),
    ],
)
def test_a_time_that_means_no_instant_is_explained(
    browser: Browser, due: str, zone: str, sentence: str
) -> None:
    """What was typed is still in the form, and nothing is scheduled."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light")
    fields = {"version": 2, "due": due, "zone": zone}
    answer = browser.post(f"/studio/copies/{copy_id}/schedule", fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert find_fields(answer.text)["due"] == due
    assert db.session.scalars(sa.select(Post)).all() == []


def test_one_of_two_times_is_chosen(browser: Browser) -> None:
    """The hour that comes twice is offered with both offsets."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light")
    fields = {"version": 2, "due": "2031-10-26T02:30", "zone": "Europe/Berlin"}
    page = browser.post(f"/studio/copies/{copy_id}/schedule", fields).text
    assert "UTC+02:00" in page
    assert "UTC+01:00" in page
    choice = {**fields, "instant": "2031-10-26T01:30:00+00:00"}
    assert f'value="{choice["instant"]}"' in page
    browser.post(f"/studio/copies/{copy_id}/schedule", choice)
    post = db.session.scalars(sa.select(Post)).one()
    assert post.published_at == datetime(2031, 10, 26, 1, 30, tzinfo=UTC)


def test_the_editor_says_what_goes_out(browser: Browser) -> None:
    """Changes after the schedule are not part of it until they are saved to the post."""
    copy_id = begin(browser)
    save(browser, copy_id, title="First light", body_markdown="First.")
    fields = {"version": 2, "due": "2031-07-01T09:30", "zone": "UTC"}
    browser.post(f"/studio/copies/{copy_id}/schedule", fields)
    post_id = db.session.scalars(sa.select(Post.id)).one()
    copy_id = int(browser.post(f"/studio/posts/{post_id}/edit").location.rpartition("/")[2])
    sentence = "Your changes are not part of what goes out on 09:30:00 UTC on 1 July 2031"
    assert sentence not in browser.get(f"/studio/copies/{copy_id}").text
    save(browser, copy_id, body_markdown="Second.")
    assert sentence in browser.get(f"/studio/copies/{copy_id}").text
    browser.post(f"/studio/copies/{copy_id}/save", {"version": 2})
    assert sentence not in browser.get(f"/studio/copies/{copy_id}").text
    post = db.session.get_one(Post, post_id, populate_existing=True)
    assert (post.status, post.body_markdown) == (Status.SCHEDULED, "Second.")


def test_an_update_can_have_a_new_date(browser: Browser) -> None:
    """Only if its editor says so."""
    post = open_post()
    for date in ("", "new"):
        copy_id = int(browser.post(f"/studio/posts/{post.id}/edit").location.rpartition("/")[2])
        save(browser, copy_id, body_markdown=f"Text {date}")
        fields = {"version": 2, "date": date}
        assert browser.post(f"/studio/copies/{copy_id}/publish", fields).status_code == 303
        at = db.session.get_one(Post, post.id, populate_existing=True).published_at
        assert (at != NOW) == (date == "new")


def record(urls: list[str], everything: str = "") -> Publication:
    """Record a publication of NOW."""
    with transaction() as session:
        publication = Publication(at=NOW, action="publish", urls=urls, everything_reason=everything)
        session.add(publication)
        session.flush()
        return publication


def enqueue(
    tier: str, url: str = "", *, sent_after: timedelta | None = None, **more: object
) -> None:
    """Put an entry into the outbox that was written at NOW."""
    at = to_microseconds(NOW)
    values = {
        "tier": tier,
        "depth": 0,
        "kind": EntryKind.PAGE if url else EntryKind.EVERYTHING,
        "url": url,
        "state": EntryState.PENDING,
        "again": False,
        "upto": 0,
        "due_at": at,
        "enqueued_at": at,
        "written_at": at,
        "sent_at": None if sent_after is None else to_microseconds(NOW + sent_after),
        **more,
    }
    with transaction() as session:
        session.execute(sa.insert(outbox).values(values))


def add_tier(name: str, depth: int, **more: object) -> None:
    """Add a tier."""
    with transaction() as session:
        values = {"name": name, "depth": depth, "level": 0.0, "level_at": 0, **more}
        session.execute(sa.insert(tiers).values(values))


def test_the_panel_tells_how_far_each_tier_has_got(app: Flask, browser: Browser) -> None:
    """Fresh, waiting, refused and broken, the innermost first; other pages do not count."""
    for depth, name in enumerate(("gateway", "varnish", "cdn", "far", "idle")):
        add_tier(name, depth, **({"breaker": "bad key"} if name == "far" else {}))
    publication_id = record(["/", "/a"]).id
    enqueue("gateway", "/", sent_after=timedelta(milliseconds=4))
    enqueue("gateway", "/a", sent_after=timedelta(milliseconds=9))
    enqueue("varnish", "/", sent_after=timedelta(milliseconds=80))
    enqueue(
        "varnish", "/a\n/other", due_at=to_microseconds(NOW + timedelta(hours=1)), last_error="503"
    )
    enqueue("cdn", "/a", state=EntryState.DEAD, last_error="refused by the vendor")
    enqueue("far")
    enqueue("idle", "/other")
    publication = db.session.get_one(Publication, publication_id)
    progress = {tier.name: tier for tier in progress_of(publication, NOW)}
    assert list(progress) == ["gateway", "varnish", "cdn", "far", "idle"]
    assert {name: tier.state for name, tier in progress.items()} == {
        "gateway": TierState.FRESH,
        "varnish": TierState.WAITING,
        "cdn": TierState.REFUSED,
        "far": TierState.BROKEN,
        "idle": TierState.FRESH,
    }
    assert progress["gateway"].took == timedelta(milliseconds=9)
    assert progress["idle"].took is None
    assert (progress["varnish"].done, progress["varnish"].total) == (1, 2)
    assert progress["varnish"].retry_at == NOW + timedelta(hours=1)
    answer = json_of(browser.get(f"/studio/publishing/{publication_id}.json"))
    assert answer["settled"] is False
    assert answer["tiers"][0] == {
        "name": "gateway",
        "state": "fresh",
        "done": 2,
        "total": 2,
        "took_ms": 9,
        "reason": "",
        "retry_at": None,
    }
    page = browser.get(f"/studio/publishing/{publication_id}").text
    assert "fresh after 9 ms" in page
    assert "refused: refused by the vendor" in page


def test_purges_of_an_earlier_change_do_not_count(app: Flask) -> None:
    """A page that was purged an hour before is not fresh for that."""
    publication = record(["/"])
    add_tier("varnish", 1)
    earlier = to_microseconds(NOW - timedelta(hours=1))
    enqueue("varnish", "/", enqueued_at=earlier, written_at=earlier, sent_after=timedelta(hours=-1))
    progress = {tier.name: tier for tier in progress_of(publication, NOW)}
    assert (progress["varnish"].total, progress["varnish"].took) == (0, None)


def test_a_writer_does_not_see_the_panel_of_another_draft(app: Flask) -> None:
    """Its title would be in it."""
    post = open_post("Secret", is_public=False)
    publication_id = record([]).id
    with transaction() as session:
        session.get_one(Publication, publication_id).post_id = post.id
    eve = sign_in(app, add_person(Role.WRITER))
    for suffix in ("", ".json"):
        assert eve.get(f"/studio/publishing/{publication_id}{suffix}").status_code == 404
    assert eve.get("/studio/publishing/999").status_code == 404


def test_the_cost_is_counted_in_calls() -> None:
    """A batch is one call, and a purge of everything is one, too; CloudFront bills each path."""
    assert [count_calls(pages, 100) for pages in (0, 1, 100, 101)] == [0, 1, 1, 2]
    impact = Impact(subject="x", urls=tuple(f"/{n}" for n in range(7)))
    assert cost_of("varnish", 2, impact).calls == 4
    assert (cost_of("cloudfront", 3000, impact).price, cost_of("gateway", 1, impact).price) == (
        0.04,
        0,
    )
    everything = Impact(subject="x", urls=(), everything_reason="a reason")
    assert cost_of("varnish", 1, everything).calls == 1
