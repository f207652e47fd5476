"""Error pages: they link to other pages and never show a traceback."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response as Answer

from app.edge.flask import serve_as
from app.publishing import slugs
from app.publishing.queries import articles, redirects

from . import error_texts, policies, translation

NEWEST = 5

# Paths that other publishing tools use for pages of this site.
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
    """Return the page of an error, or the redirect from a path that has moved."""
    if error.code == HTTPStatus.NOT_FOUND and request.method in {"GET", "HEAD"}:
        return _not_found()
    return standalone(error)


def _not_found() -> Answer:
    if new_path := find_new_path(request.path):
        return serve_as(policies.REDIRECT, _permanent_redirect(new_path))
    page = render_template("site/errors/not_found.html", articles=articles.newest(NEWEST))
    return serve_as(policies.NOT_FOUND, make_response(page, HTTPStatus.NOT_FOUND))


def find_new_path(path: str) -> str | None:
    """Return the new path of a page: by a redirect of an editor, else by its canonical spelling."""
    proper = "/" + (path.lower() if path.isascii() else slugs.fold(path)).strip("/")
    return redirects.target(path) or _ELSEWHERE.get(proper) or _respelt(path, proper)


def _respelt(path: str, proper: str) -> str | None:
    """Return the path in lower case and without a trailing slash, if a route matches it."""
    if proper == path or not proper.isprintable():
        return None
    try:
        current_app.url_map.bind("localhost").match(proper)
    except HTTPException:
        return None
    return quote(proper)


def _permanent_redirect(to: str) -> Response:
    response = redirect(to, HTTPStatus.MOVED_PERMANENTLY)
    assert isinstance(response, Response)
    return response


def standalone(error: HTTPException) -> Answer:
    """Return an error page that needs no database and no request, with the error's headers.

    No cache stores it, so it may be in the language that this process has used last.
    """
    language = translation.last_language()
    page = render_template(
        "site/errors/standalone.html",
        language=language,
        code=error.code,
        name=error_texts.name(error, language),
        description=error_texts.description(error, language),
        stylesheet=_stylesheet(),
    )
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
