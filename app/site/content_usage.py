"""The header Content-Usage: what programs may do with a text, as the site's settings say.

The pages that load the settings, feeds and Markdown files have it; robots.txt states the same for
the whole site. A view or a template passes the setting on, so that each page depends on it.
"""

from __future__ import annotations

from flask import Flask, Response, g

FIELD = "Content-Usage"
_KEY = "content_usage"


def init_app(app: Flask) -> None:
    """Add the header to the responses whose view or template has loaded the setting."""
    app.after_request(add_header)


def use(preferences: str) -> None:
    """Keep the setting for the header of this response."""
    setattr(g, _KEY, preferences)


def add_header(response: Response) -> Response:
    """Write the header, if the setting is not empty."""
    if preferences := g.get(_KEY):
        response.headers[FIELD] = preferences
    return response
