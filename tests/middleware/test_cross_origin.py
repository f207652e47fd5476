"""CORS: which responses scripts of other sites may read."""

from __future__ import annotations

import pytest
from flask import Flask

from app.middleware.cross_origin import is_open

OPEN = [
    *("/api", "/api/posts", "/api/posts/lanterns", "/api/openapi.json", "/api/none", "/feed.xml"),
    *("/feed.rss", "/feed.json", "/topics/harbour/feed.xml", "/authors/ada/feed.rss"),
    *("/downloads/posts.csv", "/downloads/posts/1.json", "/articles/lanterns.md", "/llms.txt"),
    *("/articles/none.md", "/about.md"),
]
CLOSED = [
    *("/", "/articles/lanterns", "/search?q=text", "/studio", "/studio/login", "/apix", "/feed"),
    *("/robots.txt", "/edge/cookie", "/studio/feed.xml", "/preview/x.md", "/x/api/posts"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", OPEN)
def test_scripts_of_other_sites_may_read_data(site_app: Flask, path: str, method: str) -> None:
    """Errors too; the header names every origin, so that the response varies on none."""
    headers = {"Origin": "https://other.example"}
    answer = site_app.test_client().open(path, method=method, headers=headers)
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert answer.headers["Access-Control-Expose-Headers"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" not in answer.headers.get("Vary", "")
    without = site_app.test_client().open(path, method=method)
    assert without.headers.getlist("Access-Control-Allow-Origin") == ["*"]


@pytest.mark.parametrize("path", CLOSED)
def test_scripts_of_other_sites_may_not_read_pages(site_app: Flask, path: str) -> None:
    """Neither public pages nor the studio."""
    headers = {"Origin": "https://other.example"}
    answer = site_app.test_client().get(path, headers=headers)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_script_may_ask_whether_a_copy_is_current(site_app: Flask) -> None:
    """The header If-None-Match needs a preflight, and the 304 has the header as well."""
    client = site_app.test_client()
    etag = client.get("/api/posts").headers["ETag"]
    preflight = {
        "Origin": "https://other.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    answer = client.options("/api/posts", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.data == b""
    assert "Content-Length" not in answer.headers  # RFC 9110, 8.6
    current = client.get("/api/posts", headers={"If-None-Match": etag})
    assert current.status_code == 304
    assert current.headers["Access-Control-Allow-Origin"] == "*"


def test_options_without_an_origin_is_answered_by_the_route(site_app: Flask) -> None:
    """It is no preflight: the methods of the route are listed."""
    answer = site_app.test_client().options("/api/posts")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/API/posts", "/api/posts/", "/Feed.XML", "/api/"])
def test_a_redirect_to_the_canonical_spelling_can_be_followed(path: str) -> None:
    """A browser refuses a redirect without the header."""
    assert is_open(path)
