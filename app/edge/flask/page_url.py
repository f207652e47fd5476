"""URLs of a page: as requested, as the view sees it, and as registered in the page index."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from flask import current_app, g

from ..http.cache_key import TRACKERS, compile_ignored_parameters, remove_parameters
from ..http.query_string import canonical_query, is_canonical_query, undeclared_parameters
from ..http.uri import has_one_spelling
from ..policy.policy import PolicyError
from .request import TrackedRequest

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.wrappers import Response as BaseResponse

    from .effective_policy import EffectivePolicy

_IN_PATHS = "/:@!$&'()*+,;=~-._"
_log = logging.getLogger(__name__)
_TRACKERS = compile_ignored_parameters(TRACKERS)


def hide_undeclared_parameters(route: EffectivePolicy, request: Request, *, warns: bool) -> None:
    """Hide undeclared query parameters from the view, and store the canonical URL in `g`.

    With `warns`, a page of this site that links to a URL with such a parameter is logged.
    """
    raw_query = request.environ["QUERY_STRING"]
    if warns:
        _warn_of_undeclared_link(route, request)
    if not isinstance(request, TrackedRequest):
        return
    canonical = canonical_query(raw_query, route.query)
    request.replace_query(canonical)
    if not is_canonical_query(raw_query, route.query):
        g.edge_canonical_url = f"{_path(request)}?{canonical}" if canonical else _path(request)


def redirect_to_canonical_query() -> BaseResponse | None:
    """Redirect to the canonical URL; the redirect has no policy, so no cache stores it.

    It is temporary (302), since a later version of the app may declare the parameter.
    """
    canonical = g.pop("edge_canonical_url", None)
    return None if canonical is None else current_app.redirect(canonical, code=302)


def _warn_of_undeclared_link(route: EffectivePolicy, request: Request) -> None:
    """Log a finding if a page of this site links to a URL with an undeclared parameter."""
    referrer = request.environ.get("HTTP_REFERER", "")
    if not referrer.startswith(request.host_url):
        return
    names = undeclared_parameters(request.environ["QUERY_STRING"], route.query)
    if not names:
        return
    link = "/" + referrer.removeprefix(request.host_url)
    query = ", ".join(f'"{name}"' for name in sorted({*route.query, *names}))
    _log.warning(
        "edge.undeclared_link: %s links to %s with ?%s, which %s does not declare, so that it "
        "is removed. Declare it with @cached(%s, query=(%s,)), or remove it from the link.",
        link,
        _path(request),
        " and ?".join(names),
        request.endpoint,
        route.policy.name,
        query,
        extra={"path": _path(request), "parameters": names},
    )


def page_url(request: Request) -> str:
    """Return a page's URL as in the gateway's cache key, also if no route matched."""
    query = remove_parameters(request.environ.get("QUERY_STRING", ""), _TRACKERS)
    return f"{_path(request)}?{query}" if query else _path(request)


def is_alias_url(request: Request) -> bool:
    """Return whether a purge of the registered URL may miss the copy that this request gets.

    The request has another URL, or one that caches write in more than one way.
    """
    environ = request.environ
    query: str = environ.get("QUERY_STRING", "")
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    raw: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return remove_parameters(query, _TRACKERS) != query or not has_one_spelling(path, query, raw)


def parse_page_url(url: str, site: str) -> str:
    """Return the registered URL of a page, given by its URL or path.

    Raises PolicyError if it is not a page of `site`.
    """
    try:
        parts, own = urlsplit(url), urlsplit(site)
        same = (parts.hostname, parts.port) == (own.hostname, own.port)
    except ValueError as error:
        raise PolicyError(f"{url!r} is not a valid URL: {error}.") from None
    if not url or (parts.netloc and not same):
        raise PolicyError(f"{url!r} is not a page of {site}: give its path, for example /about.")
    path = "/" + quote(unquote(parts.path), safe=_IN_PATHS).lstrip("/")
    query = remove_parameters(parts.query, _TRACKERS)
    return f"{path}?{query}" if query else path


def _path(request: Request) -> str:
    """Return the path of a request, percent-encoded.

    It begins with a single slash, because `//name` would be read as a host.
    """
    return "/" + quote(request.root_path + request.path, safe=_IN_PATHS).lstrip("/")
