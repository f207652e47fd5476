"""Numbered pages that are not there yet: a list shows what fills none."""

from __future__ import annotations

from flask import redirect
from werkzeug.wrappers import Response


def way_to(path: str) -> Response:
    """Lead to the list; nobody keeps that, or each new article would have to purge it."""
    response = redirect(path)
    response.cache_control.no_store = True
    return response
