"""A stranger's opinion of our headers: REDbot asks, and tells what it finds strange."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from app.publishing.actions import add_redirect
from app.publishing.permissions import SYSTEM

from .gunicorn import Serve

pytestmark = pytest.mark.live
REDBOT = Path(sys.executable).with_name("redbot")
CONTENT = {"GOOD", "INFO"}
OF_LOOPBACK = {"SPECULATION_RULE_NOT_SECURE"}
"""Notes on the scheme http, with which the tests serve the site."""


def fetch_text(url: str) -> str:
    """What a URL answers."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def notes(url: str) -> dict[str, str]:
    """What REDbot has to complain of, and of what it asks for besides: its id and its words."""
    output = subprocess.run(
        [REDBOT, "-o", "har", url], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    messages = [
        note for entry in json.loads(output)["log"]["entries"] for note in entry["_red_messages"]
    ]
    assert messages, f"REDbot has nothing to say of {url}."
    return {
        note["note_id"]: f"{note['level']}: {note['summary']}"
        for note in messages
        if note["level"] not in CONTENT and note["note_id"] not in OF_LOOPBACK
    }


def test_redbot_has_nothing_to_complain_of(filled: Flask, serve: Serve, tmp_path: Path) -> None:
    """Of a page, a feed, a file, an API's answer, a redirect, a 404, and what is not stored."""
    add_redirect("/old", target="/articles/lanterns", now=datetime.now(UTC), actor=SYSTEM)
    site = serve(DATABASE_URL=f"sqlite:///{tmp_path / 'broadsheet.db'}").url
    style = re.search(r'href="(/static/[^"]+\.css)"', fetch_text(f"{site}/"))
    assert style is not None
    paths = [
        *("/", "/articles/lanterns", "/feed.xml", "/feed.json", "/sitemap.xml", "/search?q=text"),
        *("/api/posts", "/old", "/nothing-here", "/edge/two-minutes", "/edge/no-store", style[1]),
    ]
    complaints = {path: notes(f"{site}{path}") for path in paths}
    assert {
        path: ignored_notes for path, ignored_notes in complaints.items() if ignored_notes
    } == {}
