"""Parse a request for the gateway: cache key, directives, and the environ for the origin."""

from __future__ import annotations

import sys
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..http import cache_key as keys
from ..http import codings, connection, reuse, uri

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from ..http.cache_control import Directives
    from .options import Options

#: Conditions that the gateway evaluates; they are not forwarded in a fetch that is shared.
CONDITIONS: Final = frozenset({"if-modified-since", "if-none-match", "if-range", "range"})
_RAW: Final = ("RAW_URI", "REQUEST_URI", "CONTENT_TYPE", "CONTENT_LENGTH")
#: The environ keys that stay valid after the connection is closed.
_CONNECTION_INDEPENDENT: Final = frozenset(
    {
        "wsgi.errors",
        "wsgi.input",
        "wsgi.multiprocess",
        "wsgi.multithread",
        "wsgi.run_once",
        "wsgi.version",
    }
)
#: The codings that the gateway requests from an origin, the preferred one first.
CODINGS: Final = ("br", "gzip")
#: Directives up to this length are cached: most clients send one of a few values.
_MAX_MEMOISED: Final = 200
_NO_BODY: Final = frozenset({"", "0"})


class Request:
    """A GET or HEAD request as a shared cache sees it.

    `key` is None if the request bypasses the cache; `bypass_reason` says why.
    """

    __slots__ = (
        "_options",
        "bypass_reason",
        "directives",
        "environ",
        "is_head",
        "key",
        "origin_coding",
        "query",
        "site",
    )

    def __init__(
        self, environ: WSGIEnvironment, options: Options, key_builder: CacheKeyBuilder
    ) -> None:
        self.environ = environ
        self._options = options
        self.is_head = environ["REQUEST_METHOD"] == "HEAD"
        has_directives = "HTTP_CACHE_CONTROL" in environ or "HTTP_PRAGMA" in environ
        self.directives = (
            _parse_request_directives(environ, options) if has_directives else reuse.NO_DIRECTIVES
        )
        #: The coding that is requested from an origin that compresses itself.
        self.origin_coding = (
            None
            if options.is_encoded_by_origin is None
            else _negotiate_origin_coding(environ, options)
        )
        self.bypass_reason = self._find_bypass_reason()
        self.query = key_builder.query(environ) if environ.get("QUERY_STRING") else ""
        self.site = key_builder.site(environ)
        self.key = None
        if self.bypass_reason is None:
            self.key = key_builder.build(environ, self.query, self.site)
        if self.key is None and self.bypass_reason is None:
            self.bypass_reason = "unkeyable"

    def header(self, name: str) -> str | None:
        """Return a request field by its lower-case name; None if it is absent."""
        value: str | None = self.environ.get(environ_name(name))
        return value

    def header_for_origin(self, name: str) -> str | None:
        """Return a request field as the origin sees it in a fetch that may be shared."""
        options = self._options
        if name == "accept-encoding" and self.origin_coding is not None:
            return self.origin_coding
        if (
            name in options.all_withheld_fields
            or name in CONDITIONS
            or name in connection.HOP_BY_HOP
        ):
            return None
        if options.allowed_fields is not None and name not in options.allowed_fields:
            return None
        return self.header(name)

    @property
    def fetches_head_only(self) -> bool:
        """Return whether the origin gets a HEAD request."""
        return self.is_head and not self._options.get_on_head

    @property
    def has_credentials(self) -> bool:
        """Return whether the request has credentials as in RFC 9111 section 3.5."""
        return "HTTP_AUTHORIZATION" in self.environ or bool(self.environ.get("REMOTE_USER"))

    @property
    def personal(self) -> bool:
        """Return whether the origin sees a cookie or credentials of the reader."""
        return self.has_credentials or bool(self.header_for_origin("cookie"))

    @property
    def is_alias_url(self) -> bool:
        """Return whether a purge of the page's URL may miss a copy cached under this URL.

        The URL differs from the page's URL, or caches write it in more than one way.
        """
        environ = self.environ
        query = environ.get("QUERY_STRING", "")
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        return bool(query != self.query) or not uri.has_one_spelling(path, query, raw)

    @property
    def is_conditional(self) -> bool:
        """Return whether the request has a condition or a Range."""
        environ = self.environ
        return (  # without a loop, because every HIT runs it
            "HTTP_IF_NONE_MATCH" in environ
            or "HTTP_IF_MODIFIED_SINCE" in environ
            or "HTTP_RANGE" in environ
            or "HTTP_IF_RANGE" in environ
        )

    def environ_for_origin(self, *, conditions: bool = False) -> WSGIEnvironment:
        """Return a copy of the environ without fields that must not influence a shared response.

        With `conditions` the reader's conditions stay: the response is then for this reader only.
        """
        environ = {
            name: value
            for name, value in self.environ.items()
            if not name.startswith("HTTP_")
            or self._is_visible_to_origin(name, conditions=conditions)
        }
        for name in _RAW:
            environ.pop(name, None)
        environ["QUERY_STRING"] = self.query
        environ["wsgi.input"] = BytesIO()
        scheme, _, authority = (self.site or "").partition("://")
        environ["wsgi.url_scheme"], environ["HTTP_HOST"] = scheme, authority
        if self.origin_coding is not None:
            environ["HTTP_ACCEPT_ENCODING"] = self.origin_coding
        if not self.fetches_head_only:
            environ["REQUEST_METHOD"] = "GET"
        return environ

    def detach(self, key_builder: CacheKeyBuilder) -> Request:
        """Return a GET for the same page that is independent of this request's connection."""
        environ = {
            name: value
            for name, value in self.environ_for_origin().items()
            if isinstance(value, str) or name in _CONNECTION_INDEPENDENT
        }
        environ["REQUEST_METHOD"] = "GET"
        request = Request(environ, self._options, key_builder)
        request.directives = reuse.NO_DIRECTIVES
        return request

    def _is_visible_to_origin(self, name: str, *, conditions: bool) -> bool:
        field = name[5:].replace("_", "-").lower()
        options = self._options
        if field in CONDITIONS:
            return conditions
        if field == "host":
            return True
        if options.allowed_fields is not None and field not in options.allowed_fields:
            return False
        return field not in options.all_withheld_fields and field not in connection.HOP_BY_HOP

    def _find_bypass_reason(self) -> str | None:
        environ, options = self.environ, self._options
        if environ.get("SCRIPT_NAME", "") != options.mount:
            return "mount"
        if options.bypasses is not None and options.bypasses(environ.get("PATH_INFO", "")):
            return "configured"
        if environ.get("CONTENT_LENGTH", "") not in _NO_BODY or "HTTP_TRANSFER_ENCODING" in environ:
            return "body"
        # Only an origin may evaluate these (RFC 9111 section 4.3.2); the last two belong to WebDAV.
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_UNMODIFIED_SINCE" in environ:
            return "precondition"
        if "HTTP_IF" in environ or "HTTP_IF_SCHEDULE_TAG_MATCH" in environ:
            return "precondition"
        return "websocket" if "websocket" in environ.get("HTTP_UPGRADE", "").lower() else None


def drop_connection_fields(environ: WSGIEnvironment) -> None:
    """Remove the fields that the request's Connection field lists (RFC 9110 section 7.6.1).

    If a cache or an application read such a field, its response would be for another request than
    the one that the next hop receives.
    """
    connection_value = environ.get("HTTP_CONNECTION")
    if connection_value:
        for name in connection.named_fields(connection_value):
            environ.pop(environ_name(name), None)


def build_refill_environ(key: bytes, options: Options) -> WSGIEnvironment:
    """Return the environ of a GET that refills the page with this key."""
    site, path, query = keys.parse_cache_key(key)
    parts = urlsplit(site)
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": options.mount,
        "PATH_INFO": path.removeprefix(options.mount),
        "QUERY_STRING": query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or keys.DEFAULT_PORTS[parts.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        # The usual value of browsers, for an application that compresses itself.
        "HTTP_ACCEPT_ENCODING": ", ".join(CODINGS),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


class CacheKeyBuilder:
    """Builds cache keys, with the options that influence them prepared once."""

    __slots__ = ("_ignored", "_mount", "_site")

    def __init__(self, options: Options) -> None:
        self._ignored = keys.compile_ignored_parameters(options.ignored_parameters)
        self._mount = options.mount
        scheme, _, authority = (options.site or "").partition("://")
        self._site = keys.normalise_site(scheme, authority) if authority else None

    def site(self, environ: WSGIEnvironment) -> str | None:
        """Return the scheme and authority of a request; None if they are invalid."""
        if self._site is not None:
            return self._site
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return keys.normalise_site(environ["wsgi.url_scheme"], host)

    def query(self, environ: WSGIEnvironment) -> str:
        """Return the query without the ignored parameters."""
        return keys.remove_parameters(environ.get("QUERY_STRING", ""), self._ignored)

    def build(self, environ: WSGIEnvironment, query: str, site: str | None) -> bytes | None:
        """Return the cache key of a request; None if it can't have one."""
        if site is None:
            return None
        return keys.build_cache_key(site, self._mount + environ.get("PATH_INFO", ""), query)

    def for_url(self, url: str) -> bytes:
        """Return the key of a URL; a path is enough if a site is configured.

        Raises ValueError for a path if no site is configured.
        """
        if self._site is not None and url.startswith("/") and not url.startswith("//"):
            url = self._site + url
        return keys.cache_key_for_url(url, self._ignored)


@lru_cache(maxsize=256)
def environ_name(name: str) -> str:
    """Return the environ key of a request field."""
    return "HTTP_" + name.upper().replace("-", "_")


def _parse_request_directives(environ: WSGIEnvironment, options: Options) -> Directives:
    cache_control, pragma = environ.get("HTTP_CACHE_CONTROL"), environ.get("HTTP_PRAGMA")
    if len(cache_control or "") + len(pragma or "") > _MAX_MEMOISED:
        return reuse.parse_request_directives(
            _lines(cache_control), pragma, options.obeyed_request_directives
        )
    return _parse_cached(cache_control, pragma, options.obeyed_request_directives)


@lru_cache(maxsize=256)
def _parse_cached(
    cache_control: str | None, pragma: str | None, honoured: frozenset[str]
) -> Directives:
    return reuse.parse_request_directives(_lines(cache_control), pragma, honoured)


def _negotiate_origin_coding(environ: WSGIEnvironment, options: Options) -> str | None:
    """Return the coding that the reader prefers; None if the gateway makes all codings."""
    own = options.is_encoded_by_origin
    if own is None or not own(environ.get("PATH_INFO", "")):
        return None
    return codings.choose_coding(environ.get("HTTP_ACCEPT_ENCODING"), CODINGS)


def _lines(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
