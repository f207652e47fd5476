"""What a reader sees when there is nothing to show: a way on, and never a trace."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response as Answer

from app.edge.flask import serve_as
from app.publishing.queries import articles, redirects

from . import policies

NEWEST = 5

# Where other publishing tools keep what stands elsewhere here.
_ELSEWHERE = {
    "/articles": "/archive",
    "/atom.xml": "/feed.xml",
    "/feed": "/feed.xml",
    "/feed.atom": "/feed.xml",
    "/index.html": "/",
    "/index.xml": "/feed.xml",
    "/rss": "/feed.xml",
    "/rss.xml": "/feed.xml",
}


def answer(error: HTTPException) -> Answer:
    """The page of an error; for an address that is no more, the way to where it leads now."""
    if error.code == HTTPStatus.NOT_FOUND and request.method in {"GET", "HEAD"}:
        return _not_found()
    return standalone(error)


def _not_found() -> Answer:
    if new_path := moved_to(request.path):
        return serve_as(policies.REDIRECT, _permanent_redirect(new_path))
    page = render_template("site/errors/not_found.html", articles=articles.newest(NEWEST))
    return serve_as(policies.NOT_FOUND, make_response(page, HTTPStatus.NOT_FOUND))


def moved_to(path: str) -> str | None:
    """Where a path that names nothing leads: what a writer says, else its proper spelling."""
    proper = "/" + path.lower().strip("/")
    return redirects.target(path) or _ELSEWHERE.get(proper) or _respelt(path, proper)


def _respelt(path: str, proper: str) -> str | None:
    """The path in lower case and without a slash at its end, if a route knows that one."""
    if proper == path or not proper.isprintable() or not proper.isascii():
        return None
    try:
        current_app.url_map.bind("localhost").match(proper)
    except HTTPException:
        return None
    return proper


def _permanent_redirect(to: str) -> Response:
    response = redirect(to, HTTPStatus.MOVED_PERMANENTLY)
    assert isinstance(response, Response)
    return response


def standalone(error: HTTPException) -> Answer:
    """A page that needs no database and no request: what an error says, with its headers."""
    page = render_template("site/errors/standalone.html", error=error, stylesheet=_stylesheet())
    response = error.get_response()
    response.data = page
    response.content_type = "text/html; charset=utf-8"
    return response


def _stylesheet() -> str | None:
    try:
        return url_for("static", filename="css/site.css")
    except (AttributeError, BuildError, HTTPException, RuntimeError):
        # AttributeError: a request whose host is refused has no URLs to build with.
        return None
