"""Asking why: a page is made once more, for nobody, and what it read is told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.test import Client, EnvironBuilder

from ..guard import Leak
from ..index.explain import Explanation, in_words, kept, touch
from ..reads import recorder
from .responses import FINDING_KEY, POLICY_KEY

if TYPE_CHECKING:
    from typing import Any

    from flask import Flask
    from sqlalchemy.engine import Engine

    from ..changes import Watched
    from ..guard import Finding
    from ..reads.recorder import Record


def why(app: Flask, url: str) -> Explanation:
    """Explain a URL of this app: its policy, what it is built from, and what is kept of it."""
    tracker = app.extensions["edge"].tracker
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    made = _made(app, path or "/")
    with tracker.reading() as connection:
        copies = kept(connection, made.url)
        dependencies = made.record.dependencies if made.record else set()
        ...
