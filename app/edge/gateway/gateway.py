"""A shared cache around a WSGI application: passes, looks up, and collapses fetches.

The Cache-Status of each response shows how its request was handled. Times are epoch seconds,
because the clock is read on every HIT.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from ..http import reuse
from ..http.cache_status import CacheStatus, ForwardReason
from . import wsgi_call
from .background import BackgroundJobs, DeadlineExceeded, TimedJob
from .collapsing import CollapseRole, ThreadCollapser
from .compressor import Compressor
from .fetch import Fetcher
from .finding_key import FINDING_KEY
from .invalidation import find_invalidated_keys, purge_or_log
from .lookup import LookupResult, lookup
from .options import Options
from .request import CacheKeyBuilder, Request, build_refill_environ, drop_connection_fields
from .response import build_response, build_text_response, close_body
from .response_headers import HeaderWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import FieldLine
    from .collapsing import Collapser
    from .response import GatewayResponse
    from .store.base import Store

_CACHED_METHODS: Final = frozenset({"GET", "HEAD"})
_SAFE_METHODS: Final = _CACHED_METHODS | {"OPTIONS", "TRACE"}
_AT_ONCE: Final = timedelta(0)


class Gateway:
    """WSGI middleware: serves from the store if RFC 9111 allows it, otherwise calls `app`."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        store: Store,
        options: Options | None = None,
        collapser: Collapser | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._store = store
        self._options = options or Options()
        self._collapser = collapser or ThreadCollapser()
        self._clock = clock
        self._receives_purges = self._options.receives_purges or _true
        self._key_builder = CacheKeyBuilder(self._options)
        self._header_writer = HeaderWriter(self._options)
        self._compressor = Compressor(store)
        self._fetcher = Fetcher(
            app,
            store,
            self._options,
            header_writer=self._header_writer,
            compressor=self._compressor,
            clock=clock,
        )
        self._background = BackgroundJobs(self._options.max_background_jobs)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        drop_connection_fields(environ)
        if environ["REQUEST_METHOD"] not in _CACHED_METHODS:
            return self._pass_through(
                environ, start_response, CacheStatus(fwd=ForwardReason.METHOD)
            )
        request = Request(environ, self._options, self._key_builder)
        key = request.key
        if key is None:
            status = CacheStatus(fwd=ForwardReason.BYPASS, detail=request.bypass_reason)
            return self._pass_through(environ, start_response, status)
        now = self._clock()
        lookup_result = lookup(request, self._store.load(key), now)
        if lookup_result.is_usable and not self._receives_purges():
            lookup_result = lookup_result.as_stale()
        response = (
            self._respond_from_store(request, key, lookup_result, now)
            if lookup_result.is_usable
            else None
        )
        if response is None:
            response = self._respond_from_origin(
                request, key, lookup_result.as_miss() if lookup_result.is_usable else lookup_result
            )
        start_response(response.status_line, response.headers)
        return response.body

    def bind_site(self, site: str) -> None:
        """Use this site for all requests, regardless of Host.

        Call it before the first request. Raises ValueError if another site is configured.
        """
        options = replace(self._options, site=site)
        if self._options.site is not None and CacheKeyBuilder(options).for_url(
            "/"
        ) != self.cache_key("/"):
            raise ValueError(
                f"the gateway is configured for the site {self._options.site}, not {site}"
            )
        self._options, self._key_builder = options, CacheKeyBuilder(options)

    @property
    def site(self) -> str:
        """The configured site, such as `https://example.org`; empty if it serves any site."""
        return self._options.site or ""

    def purge(self, url: str) -> int:
        """Delete every variant of a URL; return the number of deleted variants.

        The URL is absolute, or a path if the options contain the site; otherwise raises ValueError.
        """
        return self._store.purge(self.cache_key(url))

    def cache_key(self, url: str) -> bytes:
        """Return the cache key of a URL, which has the form that `purge` accepts."""
        return self._key_builder.for_url(url)

    def purge_all(self) -> int:
        """Delete all stored responses; return their number."""
        return self._store.purge_all()

    @property
    def is_fetching(self) -> bool:
        """Whether the application is now producing a response for a reader in this process."""
        return self._fetcher.is_fetching

    def refill_page(self, key: bytes) -> None:
        """Fetch a page into the store without a reader.

        Raises what the application raises. A page that is stored already is skipped. The purge
        token is checked as in any other fetch.
        """
        for _ in self(build_refill_environ(key, self._options), _ignore_response_start):
            """Discard the chunk: the response is stored while it is read."""

    def drain(self, timeout: timedelta) -> bool:
        """Wait until no background job runs; return False on a timeout."""
        return self._background.drain(timeout) and self._compressor.drain(timeout)

    def _pass_through(
        self, environ: WSGIEnvironment, start_response: StartResponse, status: CacheStatus
    ) -> Iterable[bytes]:
        """Call the application; a successful unsafe request invalidates stored pages first."""
        unsafe = environ["REQUEST_METHOD"] not in _SAFE_METHODS

        def rewrite(line: str, headers: list[FieldLine]) -> list[FieldLine]:
            if unsafe:
                for key in find_invalidated_keys(environ, line, headers, self._key_builder):
                    purge_or_log(self._store, key)
            final_status = replace(status, detail=environ.get(FINDING_KEY) or status.detail)
            return [
                *self._header_writer.without_internal_fields(headers, None),
                self._header_writer.cache_status_line(final_status),
            ]

        return wsgi_call.pass_through(self._app, environ, start_response, rewrite)

    def _respond_from_store(
        self, request: Request, key: bytes, lookup_result: LookupResult, now: float
    ) -> GatewayResponse | None:
        """Return a response from the store alone; None if its body is no longer stored."""
        stored = lookup_result.stored
        assert stored is not None
        response = build_response(
            request, stored, partial(self._store.read_body, key, stored), now=now
        )
        if response is None:
            return None
        if lookup_result.use is reuse.ReuseDecision.STALE_WHILE_REVALIDATE:
            self._refresh_in_background(request, key, lookup_result)
        if stored.needs_compression:
            response.body = self._compressor.compress_on_close(key, stored, response.body)
        return self._header_writer.finish_hit(response, lookup_result, request, now)

    def _refresh_in_background(
        self, request: Request, key: bytes, lookup_result: LookupResult
    ) -> None:
        """Refresh in the background, unless another process does (RFC 5861 section 3)."""
        background_request = request.detach(self._key_builder)

        def job() -> None:
            with self._collapser.elect(key, _AT_ONCE) as role:
                if role is CollapseRole.LEADER:
                    close_body(self._fetcher.fetch(background_request, key, lookup_result).body)

        self._background.try_start(key, job)

    def _respond_from_origin(
        self, request: Request, key: bytes, lookup_result: LookupResult
    ) -> GatewayResponse:
        """Fetch from the application, one request per page at a time; others share its response."""
        if "only-if-cached" in request.directives:
            return self._only_if_cached_failed(request)
        with self._fetch_lock(request, key, lookup_result) as role:
            if role is CollapseRole.FOLLOWER:
                second_lookup = lookup(request, self._store.load(key), self._clock())
                response = (
                    self._collapsed_response(request, key, second_lookup, lookup_result)
                    if second_lookup.is_usable
                    else None
                )
                if response is not None:
                    return response
                lookup_result = (
                    second_lookup.as_miss() if second_lookup.is_usable else second_lookup
                )
            return self._fetch_within_deadline(request, key, lookup_result)

    def _fetch_lock(
        self, request: Request, key: bytes, lookup_result: LookupResult
    ) -> AbstractContextManager[CollapseRole]:
        """Return the fetch lock for this key.

        Requests that cannot share a response (HEAD, Authorization) skip it.
        """
        skip_lock = (
            request.fetches_head_only
            or request.has_credentials
            or lookup_result.use is reuse.ReuseDecision.REQUEST
        )
        # While purges don't reach this gateway, it can't use what another request stored.
        skip_lock = skip_lock or not self._receives_purges()
        if skip_lock or key in self._fetcher.hit_for_miss:
            return nullcontext(CollapseRole.ALONE)
        return self._collapser.elect(key, self._options.collapse_timeout)

    def _collapsed_response(
        self, request: Request, key: bytes, second_lookup: LookupResult, lookup_result: LookupResult
    ) -> GatewayResponse | None:
        stored, now = second_lookup.stored, self._clock()
        assert stored is not None
        response = build_response(
            request, stored, partial(self._store.read_body, key, stored), now=now
        )
        status = CacheStatus(fwd=lookup_result.fwd, collapsed=True)
        return response and self._header_writer.finish_forwarded(
            response, stored, request, status, now
        )

    def _fetch_within_deadline(
        self, request: Request, key: bytes, lookup_result: LookupResult
    ) -> GatewayResponse:
        """Fetch; wait at most `origin_deadline` if a stale response may be served on error.

        After that the stale response is served, and the fetch continues in the background.
        """
        deadline = self._options.origin_deadline
        if deadline is None or not self._fetcher.can_serve_stale(request, lookup_result):
            return self._fetcher.fetch(request, key, lookup_result)
        race = TimedJob(
            partial(self._fetcher.fetch, request, key, lookup_result), _close_late_response
        )
        if self._background.try_start((key, "overdue"), race.run):
            with suppress(DeadlineExceeded):
                response: GatewayResponse = race.wait(deadline)
                return response
        stale = self._fetcher.respond_stale(request, key, lookup_result, "overdue")
        return stale or self._fetcher.fetch(request, key, lookup_result)

    def _only_if_cached_failed(self, request: Request) -> GatewayResponse:
        error_response = build_text_response(
            "504 Gateway Timeout", "No usable response is stored for this request."
        )
        error_response.headers.append(
            self._header_writer.cache_status_line(CacheStatus(detail="only-if-cached"))
        )
        if request.is_head:
            error_response.body = ()
        return error_response


def _ignore_response_start(
    _status: str, _headers: list[FieldLine], _exc_info: object = None, /
) -> Callable[[bytes], object]:
    """Ignore the head of a response that is not sent."""
    return len


def _true() -> bool:
    return True


def _close_late_response(response: GatewayResponse) -> None:
    close_body(response.body)
