"""What programs may do with the texts, and where a vulnerability is reported."""

from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.errors import Invalid
from app.publishing.site_settings import BY_NAME

from . import content
from .test_theme import change

PAGES = ["/", "/archive", "/articles/wheels", "/feed.xml", "/feed.rss", "/articles/wheels.md"]


def test_robots_txt_states_the_preferences_of_the_site(app: Flask) -> None:
    """In the group of all crawlers; nothing is stated by default."""
    client = app.test_client()
    assert "Content-" not in client.get("/robots.txt").text
    change(app, content_signal="search=yes,ai-train=no", content_usage="train-ai=n")
    group, *_ = client.get("/robots.txt").text.split("\n\n")
    assert group.splitlines()[:3] == [
        "User-agent: *",
        "Content-Signal: search=yes, ai-train=no",
        "Content-Usage: train-ai=n",
    ]


@pytest.mark.parametrize("path", PAGES)
def test_texts_have_the_preferences_as_a_header(app: Flask, path: str) -> None:
    """Pages, feeds and Markdown files; without the setting there is no header."""
    content.post("Wheels")
    client = app.test_client()
    assert "Content-Usage" not in client.get(path).headers
    change(app, content_usage="train-ai=n, search=y")
    assert client.get(path).headers["Content-Usage"] == "train-ai=n, search=y"


INVALID = {
    "content_signal": ["ai-train", "ai-train=maybe", "AI=no", "a=yes\nDisallow: /", "=no", "a=y"],
    "content_usage": ["train-ai=no", "train ai=n", "x=y;q=1", "1=y"],
    "security_contact": ["ada", "http://x.example", "javascript:x", "mailto:", "a@b, c@d.example"],
    "security_expires": ["soon", "2026-13-01", "31.12.2026"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in INVALID.items() for value in values]
)
def test_an_invalid_setting_is_refused_in_one_sentence(name: str, value: str) -> None:
    """It can't add a line to robots.txt or to security.txt."""
    with pytest.raises(Invalid, match=r"^[^\n]+\.$"):
        BY_NAME[name].check(name, value)


def test_security_txt_has_a_contact_and_a_day(app: Flask) -> None:
    """RFC 9116 requires both; without one of them there is no file."""
    client = app.test_client()
    path = "/.well-known/security.txt"
    assert client.get(path).status_code == 404
    change(app, security_contact="safe@wheels.example")
    assert client.get(path).status_code == 404
    change(app, security_expires="2026-12-31", language="de")
    answer = client.get(path)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:safe@wheels.example",
        "Expires: 2026-12-31T00:00:00Z",
        "Preferred-Languages: de",
        "Canonical: http://127.0.0.1:8000/.well-known/security.txt",
    ]


CONTACTS = [
    ("safe@x.example", "mailto:safe@x.example"),
    ("mailto:safe@x.example", "mailto:safe@x.example"),
    ("https://x.example/report", "https://x.example/report"),
    ("", ""),
]


@pytest.mark.parametrize(("value", "contact"), CONTACTS)
def test_a_contact_is_a_uri(value: str, contact: str) -> None:
    """A mail address becomes one."""
    assert BY_NAME["security_contact"].check("security_contact", value) == contact
