"""Numbered pages that are not full yet: their list shows their articles."""

from __future__ import annotations

from flask import make_response, redirect
from flask.typing import ResponseReturnValue

from app.edge.flask import serve_as

from . import policies


def way_to(path: str) -> ResponseReturnValue:
    """Lead to the list until the page is full; few ask for it, so it is not kept for long."""
    return serve_as(policies.REDIRECT, make_response(redirect(path)))
