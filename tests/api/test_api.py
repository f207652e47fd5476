from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.models import Post
from app.publishing.queries import archive
from app.publishing.transaction import transaction
from tests.site import content

PATHS = [
    "/api",
    "/api/openapi.json",
    "/api/authors",
    "/api/pages",
    "/api/pages/about",
    "/api/posts",
    "/api/posts/pages/1",
    "/api/posts/lanterns",
    "/api/topics",
    "/api/summary",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_json_with_an_etag(site_app: Flask, path: str) -> None:
    """The same for every reader, and told apart by its ETag."""
    answer = site_app.test_client().get(path)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["ETag"]
    assert "Set-Cookie" not in answer.headers


def test_posts_are_the_newest_with_where_all_are(site_app: Flask) -> None:
    """A list of articles without drafts, and links to numbered pages."""
    answer = site_app.test_client().get("/api/posts").json
    assert answer is not None
    first = answer["posts"][0]
    assert first["title"] == "Lanterns"
    assert first["url"] == "http://127.0.0.1:8000/articles/lanterns"
    assert [topic["slug"] for topic in first["topics"]] == ["harbour", "light"]
    assert first["cover"]["width"] == 1600
    assert datetime.fromisoformat(first["published_at"]) == content.day(30)
    assert "html" not in first
    assert answer["count"] == len(answer["posts"]) == 10
    assert answer["pages"]["oldest"] == "http://127.0.0.1:8000/api/posts/pages/1"


def test_pages_lead_to_one_another(app: Flask) -> None:
    """From the oldest to the newest and back."""
    for number in range(archive.PAGE_SIZE + 1):
        content.post(f"n{number}", at=content.day(number))
    client = app.test_client()
    first, second = client.get("/api/posts/pages/1").json, client.get("/api/posts/pages/2").json
    assert first is not None
    assert second is not None
    assert (first["older"], second["newer"]) == (None, None)
    assert first["newer"].endswith("/api/posts/pages/2")
    assert second["older"].endswith("/api/posts/pages/1")


def test_one_post_has_its_text(site_app: Flask) -> None:
    """As the HTML that the page shows."""
    answer = site_app.test_client().get("/api/posts/lanterns").json
    assert answer is not None
    assert "A text with a note" in answer["html"]


def test_topics_are_counted(site_app: Flask) -> None:
    """Each with its published articles."""
    answer = site_app.test_client().get("/api/topics").json
    assert answer is not None
    assert {topic["slug"]: topic["count"] for topic in answer["topics"]} == {
        "harbour": 9,
        "light": 1,
    }


def test_the_summary_is_the_site_in_numbers(site_app: Flask) -> None:
    """Counts and the newest date."""
    answer = site_app.test_client().get("/api/summary").json
    assert answer is not None
    assert (answer["title"], answer["articles"], answer["pages"]) == ("The Gazette", 10, 2)
    assert datetime.fromisoformat(answer["newest_at"]) == content.day(30)


WRONG = [
    "/api/x",
    "/api/pages/none",
    "/api/pages/lanterns",
    "/api/posts/none",
    "/api/posts/a-draft",
    "/api/posts/pages/9",
    "/api/Posts/",
]


@pytest.mark.parametrize("path", WRONG)
def test_an_error_is_json(site_app: Flask, path: str) -> None:
    """A program gets what it can read, with the status inside too."""
    answer = site_app.test_client().get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/json"
    assert answer.json is not None
    assert answer.json["status"] == 404


def test_a_method_that_is_not_allowed_is_json_too(site_app: Flask) -> None:
    """With the methods that are."""
    answer = site_app.test_client().post("/api/posts")
    assert answer.status_code == 405
    assert answer.json is not None
    assert "GET" in answer.headers["Allow"]


def test_authors_are_counted(site_app: Flask) -> None:
    """Each with its published articles."""
    answer = site_app.test_client().get("/api/authors").json
    assert answer is not None
    assert [(each["slug"], each["count"]) for each in answer["authors"]] == [("ada", 9), ("ben", 1)]


def test_pages_are_listed_and_have_their_texts(site_app: Flask) -> None:
    """A list by slug, and each page at the address that the list names."""
    client = site_app.test_client()
    answer = client.get("/api/pages").json
    assert answer is not None
    assert [page["slug"] for page in answer["pages"]] == ["about", "imprint"]
    page = client.get(answer["pages"][0]["api_url"]).json
    assert page is not None
    assert "A text with a note" in page["html"]
    assert {key: page[key] for key in answer["pages"][0]} == answer["pages"][0]


def test_an_id_is_that_of_the_feed_and_outlives_a_rename(app: Flask) -> None:
    """A program knows an article again by it."""
    content.post("Wheels")
    db.session.remove()
    client = app.test_client()
    before = client.get("/api/posts/wheels").json
    feed = client.get("/feed.json").json
    with transaction() as session:
        session.execute(sa.update(Post).values(slug="gears"))
    after = client.get("/api/posts/gears").json
    assert before is not None
    assert after is not None
    assert feed is not None
    assert before["id"] == after["id"] == feed["items"][0]["id"]
    assert before["id"].startswith("urn:uuid:")


def list_changes(app: Flask, url: str) -> tuple[list[str], str, bool]:
    """Return the slugs of a list of changes, where the next is, and whether it is complete."""
    answer = app.test_client().get(url, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return (
        [post["slug"] for post in answer.json["posts"]],
        answer.json["next"],
        answer.json["complete"],
    )


def test_changes_are_listed_from_an_instant_on(app: Flask) -> None:
    """The instant itself counts, and an article that came out later than it was written."""
    for number in range(4):
        content.post(f"n{number}", at=content.day(number))
    with transaction() as session:
        late = sa.update(Post).where(Post.slug == "n0").values(published_at=content.day(9))
        session.execute(late)
    slugs, after, complete = list_changes(app, "/api/posts?updated_since=2024-01-03T09:00:00Z")
    assert (slugs, complete) == (["n2", "n3", "n0"], True)
    assert list_changes(app, after)[0] == []
    content.post("n9", at=content.day(9))
    assert list_changes(app, after)[0] == ["n9"]


def test_all_changes_of_one_instant_are_reached(app: Flask) -> None:
    """An import writes many articles at once; none is listed twice."""
    count = archive.PAGE_SIZE + 5
    for number in range(count):
        content.post(f"n{number}", at=content.day(1))
    first, after, complete = list_changes(
        app, "/api/posts?updated_since=2024-01-01T00:00:00%2B01:00"
    )
    assert not complete
    second, _, complete = list_changes(app, after)
    assert complete
    assert sorted(first + second) == sorted(f"n{number}" for number in range(count))


def test_a_plus_sign_that_is_not_encoded_is_understood(app: Flask) -> None:
    """A form decoder makes a space of it."""
    content.post("n", at=content.day(1))
    assert list_changes(app, "/api/posts?updated_since=2024-01-02T10:00:00+01:00")[0] == ["n"]
    assert list_changes(app, "/api/posts?updated_since=2024-01-02T10:00:01+01:00")[0] == []


INVALID = [
    *("updated_since=yesterday", "updated_since=2024-01-01", "after=1"),
    *("updated_since=2024-01-01T00:00:00", "updated_since=0001-01-01T00:00:00%2B12:00"),
    "after=x&updated_since=2024-01-01T00:00:00Z",
    "after=-1&updated_since=2024-01-01T00:00:00Z",
    f"after={'9' * 19}&updated_since=2024-01-01T00:00:00Z",
]


@pytest.mark.parametrize("query", INVALID)
def test_an_invalid_position_is_refused_in_one_sentence(app: Flask, query: str) -> None:
    """The sentence names the parameter and how to write it; no cache stores it."""
    answer = app.test_client().get(f"/api/posts?{query}", follow_redirects=True)
    assert answer.status_code == 400
    assert answer.json is not None
    name = "after" if query.startswith("after=") and "since" in query else "updated_since"
    assert answer.json["message"].startswith(f"{name} is ")
    assert "no-store" in answer.headers["Cache-Control"]
