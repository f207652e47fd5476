"""The links below an article that share it elsewhere."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from app.publishing.discussion import find_discussion
from app.publishing.models import Post
from app.publishing.transaction import transaction

from . import content
from .html import Page

TITLES = ["Wheels", "100 % & <b>more</b>? #1", "日本語 العربية", 'a+b=c "quoted"']
URL = "http://127.0.0.1:8000/articles/odd"


@pytest.mark.parametrize("title", TITLES)
def test_an_article_can_be_shared_without_a_script(app: Flask, title: str) -> None:
    """By mail, at Mastodon and at Bluesky: each link holds the whole title and the address."""
    content.post("Odd")
    with transaction() as session:
        session.execute(sa.update(Post).values(title=title))
    page = app.test_client().get("/articles/odd").text
    links = Page(page).links()
    (mail,) = [urlsplit(link) for link in links if link.startswith("mailto:")]
    assert parse_qs(mail.query) == {"subject": [title], "body": [URL]}
    (mastodon,) = [urlsplit(link) for link in links if "joinmastodon" in link]
    assert (mastodon.query, unquote(mastodon.fragment)) == ("", f"text={title} {URL}")
    (bluesky,) = [urlsplit(link) for link in links if "bsky.app" in link]
    assert parse_qs(bluesky.query) == {"text": [f"{title} {URL}"]}
    assert f">{URL}</code>" in page


@pytest.mark.parametrize("path", ["/", "/about", "/topics"])
def test_only_an_article_has_share_links(site_app: Flask, path: str) -> None:
    """Lists and pages have none."""
    assert "bsky.app" not in site_app.test_client().get(path).text


DISCUSSIONS = [
    ({"discuss": "https://mastodon.example/@ada/1"}, "https://mastodon.example/@ada/1"),
    ({"Discuss": "http://forum.example/t/1"}, "http://forum.example/t/1"),
    ({"params": {"discuss": "https://a.example/"}}, "https://a.example/"),
    ({"discuss": "javascript:alert(1)"}, ""),
    ({"discuss": "/archive"}, ""),
    ({"discuss": ["https://a.example/"]}, ""),
    ({"discuss": "https://a.example/" + "x" * 500}, ""),
    ({"other": "https://a.example/"}, ""),
    ({}, ""),
    (None, ""),
]


@pytest.mark.parametrize(("fields", "url"), DISCUSSIONS)
def test_an_article_links_to_its_discussion(
    app: Flask, fields: dict[str, object] | None, url: str
) -> None:
    """The field `discuss` of its front matter, if it is a URL of the web."""
    content.post("Odd")
    with transaction() as session:
        session.execute(sa.update(Post).values(extra_fields=fields))
    page = app.test_client().get("/articles/odd").text
    assert find_discussion(fields) == url
    assert ("Discuss this article" in page) == bool(url)
    assert not url or f'<a href="{url}" rel="nofollow">' in page
