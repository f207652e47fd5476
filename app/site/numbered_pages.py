"""Numbered pages that are not full yet; the list page shows their articles."""

from __future__ import annotations

from flask import make_response, redirect
from flask.typing import ResponseReturnValue

from app.edge.flask import serve_as

from . import policies


def way_to(path: str) -> ResponseReturnValue:
    """Redirect to the list until the page is full; the redirect is cached for a short time."""
    return serve_as(policies.REDIRECT, make_response(redirect(path)))
