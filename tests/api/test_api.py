from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from app.publishing.queries import archive
from tests.site import content

PATHS = ["/api/posts", "/api/posts/pages/1", "/api/posts/lanterns", "/api/topics", "/api/summary"]


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
    "/api",
    "/api/x",
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
