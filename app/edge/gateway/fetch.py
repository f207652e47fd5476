"""Fetch from the application: validate, fetch, and store what may be stored.

The purge token is read before the application is called, so that nothing fetched before a purge is
stored after it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..http import reuse, storing, validators
from ..http.cache_key import describe_cache_key
from ..http.cache_status import CacheStatus
from ..http.framing import INVALID, has_no_body, repaired
from . import content_coding, wsgi_call
from .fetch_context import FetchContext
from .invalidation import purge_or_log
from .lru_set import LruSet
from .response import GatewayResponse, build_response, close_body
from .storage_rules import StorageRules
from .store.base import SaveResult
from .stored_response import BodyInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication

    from .compressor import Compressor
    from .lookup import LookupResult
    from .options import Options
    from .request import Request
    from .response_head import ResponseHead
    from .response_headers import HeaderWriter
    from .store.base import Store, StoredResponse
    from .wsgi_call import OriginResponse

_log: Final = logging.getLogger(__name__)
#: The statuses that count as an error of the origin (RFC 5861 section 4).
_ERROR_STATUSES: Final = frozenset({500, 502, 503, 504})
#: Reasons not to store that also purge the stored response of the page.
_PURGING_REASONS: Final = frozenset({"no-store", "private", "vary-star"})
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class Fetcher:
    """Produces the response to a request that the store alone can't answer."""

    def __init__(
        self,
        app: WSGIApplication,
        store: Store,
        options: Options,
        *,
        header_writer: HeaderWriter,
        compressor: Compressor,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._store = store
        self._options = options
        self._header_writer = header_writer
        self._compressor = compressor
        self._clock = clock
        self._storage_rules = StorageRules(options)
        #: Keys whose last response could not be stored. Requests for them are not collapsed.
        self.hit_for_miss = LruSet()
        # The number of running fetches: append and pop of a list are atomic.
        self._active_fetches: list[None] = []

    @property
    def is_fetching(self) -> bool:
        """Whether a fetch is running now."""
        return bool(self._active_fetches)

    def fetch(self, request: Request, key: bytes, lookup_result: LookupResult) -> GatewayResponse:
        """Call the application and return the response; store it if that is allowed."""
        is_private = key in self.hit_for_miss
        token = self._store.purge_token()
        context = FetchContext(
            request=request,
            key=key,
            lookup_result=lookup_result,
            purge_token=token,
            is_private=is_private,
        )
        self._active_fetches.append(None)
        try:
            return self._handle_response(
                context, wsgi_call.call_application(self._app, context.build_environ(), self._clock)
            )
        except Exception:
            stale = self.respond_stale(request, key, lookup_result, "stale-if-error")
            if stale is None:
                raise
            _log.warning(
                "gateway.origin_failed: the application raised an error, so a stale page is served",
                exc_info=True,
                extra={"served": "stale"},
            )
            return stale
        finally:
            self._active_fetches.pop()

    def respond_stale(
        self,
        request: Request,
        key: bytes,
        lookup_result: LookupResult,
        detail: str,
        failed: int | None = None,
    ) -> GatewayResponse | None:
        """Return the stale response if it may replace an error, else None."""
        stored = lookup_result.stored
        if stored is None or not self.can_serve_stale(request, lookup_result):
            return None
        now = self._clock()
        response = build_response(request, stored, self._body_of(key, stored), now=now)
        if response is None:
            return None
        ttl = stored.lifetime - (now - stored.generated_at)
        status = CacheStatus(fwd=lookup_result.fwd, fwd_status=failed, ttl=ttl, detail=detail)
        return self._header_writer.finish_forwarded(response, stored, request, status, now)

    def can_serve_stale(self, request: Request, lookup_result: LookupResult) -> bool:
        """Return whether the stored response may be served if the application fails."""
        return lookup_result.stored is not None and reuse.may_replace_error(
            lookup_result.stored,
            age=lookup_result.age,
            request_directives=request.directives,
            default=self._options.stale_if_error.total_seconds(),
        )

    def _handle_response(
        self, context: FetchContext, origin_response: OriginResponse
    ) -> GatewayResponse:
        status, stored = origin_response.head.status, context.lookup_result.stored
        if stored is not None and status in _ERROR_STATUSES:
            stale = self.respond_stale(
                context.request, context.key, context.lookup_result, "stale-if-error", status
            )
            if stale is not None:
                origin_response.body.close()
                return stale
        if context.request.fetches_head_only:
            return self._handle_head(context, origin_response, stored)
        if stored is not None and status == _NOT_MODIFIED:
            if origin_response.finding:
                origin_response.body.close()
                return self._refetch(context)
            return self._handle_not_modified(context, origin_response, stored)
        return self._handle_content(context, origin_response)

    # validate

    def _handle_not_modified(
        self, context: FetchContext, origin_response: OriginResponse, stored: StoredResponse
    ) -> GatewayResponse:
        """Freshen the stored response that a 304 confirms; if it doesn't, fetch unconditionally."""
        origin_response.body.close()
        if not validators.matches_stored(origin_response.head.fields, stored.fields):
            return self._refetch(context)
        freshened = self._storage_rules.freshen(stored, origin_response.head, context.request)
        now, newer = self._clock(), freshened.stored
        response = build_response(
            context.request, newer, self._body_of(context.key, stored), now=now
        )
        if response is None:
            return self._refetch(context)
        saved = self._freshen(context, newer, freshened.decision)
        candidate = self._storage_rules.candidate(origin_response.head, context.request)
        response.headers += [
            pair
            for pair in self._storage_rules.unstored_fields(origin_response.head, candidate)
            if pair[0].lower() != "age"
        ]
        status = context.build_status(fwd_status=_NOT_MODIFIED, stored=saved is SaveResult.SAVED)
        return self._header_writer.finish_forwarded(response, newer, context.request, status, now)

    def _freshen(
        self, context: FetchContext, newer: StoredResponse, decision: storing.StorageDecision
    ) -> SaveResult | None:
        if decision.store:
            return self._store.freshen(context.key, newer, token=context.purge_token)
        self._purge_if_uncacheable(context, decision.reason)
        return None

    def _refetch(self, context: FetchContext) -> GatewayResponse:
        """Fetch without conditions after a validation that can't be used."""
        environ = context.request.environ_for_origin()
        context_without_stored = replace(
            context,
            lookup_result=context.lookup_result.as_miss(),
            purge_token=self._store.purge_token(),
            is_private=False,
        )
        return self._handle_content(
            context_without_stored, wsgi_call.call_application(self._app, environ, self._clock)
        )

    def _handle_head(
        self, context: FetchContext, origin_response: OriginResponse, stored: StoredResponse | None
    ) -> GatewayResponse:
        """Freshen the stored response if the HEAD confirms it, else expire it (RFC 9111, 4.3.5)."""
        head = origin_response.head
        if stored is not None and head.status == _OK and not origin_response.finding:
            if self._confirms_stored(stored, head):
                freshened = self._storage_rules.freshen(stored, head, context.request)
                self._freshen(context, freshened.stored, freshened.decision)
            else:
                expired = replace(stored, lifetime=0, stale_while_revalidate=0, stale_if_error=0)
                self._store.freshen(context.key, expired, token=context.purge_token)
        status = context.build_status(detail=origin_response.finding)
        return self._respond_unstored(context, head, origin_response.body.remaining(), status)

    def _confirms_stored(self, stored: StoredResponse, head: ResponseHead) -> bool:
        length = stored.representations["identity"].body.length
        return head.content_length in {None, length} and validators.matches_stored(
            head.fields, stored.fields
        )

    # fetch

    def _handle_content(
        self, context: FetchContext, origin_response: OriginResponse
    ) -> GatewayResponse:
        """Store a complete response if that is allowed; otherwise respond without storing."""
        head, body = origin_response.head, origin_response.body
        candidate = self._storage_rules.candidate(head, context.request)
        decision = storing.decide_storage(candidate)
        reason, content = decision.reason, None
        if decision.store:
            obstacle = origin_response.finding or self._find_storage_obstacle(context, head)
            reason, content = (
                (obstacle, None) if obstacle else self._read_storable_content(context, head, body)
            )
        if content is not None and reason == "complete":
            return self._store_and_respond(context, head, content, candidate)
        self._purge_if_uncacheable(context, reason)
        _log.debug(
            "gateway.not_stored: %s may not be stored (%s)",
            describe_cache_key(context.key),
            reason,
            extra={"reason": reason, "key": context.key},
        )
        status = context.build_status(detail=origin_response.finding or reason)
        not_modified = content is None and self._not_modified_response(
            context, head, candidate, status
        )
        self._update_hit_for_miss(context.key, reason)
        if not_modified:
            body.close()
            return not_modified
        if content is not None:
            # The body is complete; only its Content-Length is wrong.
            return self._respond_unstored(context, head, (content,), status, length=INVALID)
        return self._respond_unstored(context, head, body.remaining(), status)

    def _find_storage_obstacle(self, context: FetchContext, head: ResponseHead) -> str | None:
        """Return why a storable response must still not be stored, or None."""
        if not context.forwards_conditions:
            return None
        # Too large to store: an unconditional fetch would transfer it whole for nothing each time.
        return (
            "too-large"
            if (head.content_length or 0) > self._options.max_body_size
            else "conditional"
        )

    def _read_storable_content(
        self, context: FetchContext, head: ResponseHead, body: wsgi_call.BodyReader
    ) -> tuple[str, bytes | None]:
        """Read a body to store; re-raise its error if a stale response can be served instead."""
        try:
            return self._read_content(head, body)
        except Exception:
            if self.can_serve_stale(context.request, context.lookup_result):
                body.close()
                raise
            return "incomplete", None

    def _update_hit_for_miss(self, key: bytes, reason: str) -> None:
        """Mark the key as hit-for-miss, unless the only reason was the reader's conditions."""
        if reason == "conditional":
            self.hit_for_miss.discard(key)
        else:
            self.hit_for_miss.add(key)

    def _not_modified_response(
        self,
        context: FetchContext,
        head: ResponseHead,
        candidate: storing.StorageCandidate,
        status: CacheStatus,
    ) -> GatewayResponse | None:
        """Evaluate the reader's conditions on a response that is not stored.

        They were removed before the fetch. Returns None if the application did see them, or if
        they don't lead to a 304.
        """
        if not context.request.is_conditional or head.status != _OK or context.forwards_conditions:
            return None
        etag = head.fields.first("etag")
        bodies = (BodyInfo(coding="identity", length=head.content_length or 0, etag=etag),)
        stored = self._storage_rules.build(head, candidate, context.request, bodies)
        response = build_response(context.request, stored, lambda _: None, now=head.received_at)
        if response is not None:
            response.headers += self._storage_rules.unstored_fields(head, candidate)
        return response and self._header_writer.finish_fetched(
            response, stored, context.request, status
        )

    def _read_content(
        self, head: ResponseHead, body: wsgi_call.BodyReader
    ) -> tuple[str, bytes | None]:
        """Return "complete" or the reason not to store, and the body, None if it was not read."""
        if has_no_body(head.status):
            body.close()
            return "complete", b""
        length = head.content_length
        if length is not None and not 0 <= length <= self._options.max_body_size:
            return ("too-large" if length > 0 else "content-length"), None
        content = body.spool(self._options.max_body_size)
        if content is None:
            return "too-large", None
        return ("complete" if length in {None, len(content)} else "incomplete"), content

    def _purge_if_uncacheable(self, context: FetchContext, reason: str) -> None:
        if context.lookup_result.stored is not None and reason in _PURGING_REASONS:
            purge_or_log(self._store, context.key)

    # store

    def _store_and_respond(
        self,
        context: FetchContext,
        head: ResponseHead,
        content: bytes,
        candidate: storing.StorageCandidate,
    ) -> GatewayResponse:
        stored = self._storage_rules.build_stored(head, content, candidate, context.request)
        bodies = {"identity": content}
        saved = self._store.save(context.key, stored, bodies, token=context.purge_token)
        self.hit_for_miss.discard(context.key)
        if saved is not SaveResult.SAVED:
            _log.info(
                "gateway.not_saved: the store did not save %s (%s)",
                describe_cache_key(context.key),
                saved.value,
                extra={"reason": saved.value, "key": context.key},
            )
        first_stored = stored
        if stored.needs_compression:
            accepted = context.request.header("accept-encoding")
            first_stored, bodies = content_coding.compress_fast(stored, content, accepted)
        response = build_response(context.request, first_stored, bodies.get, now=head.received_at)
        assert response is not None
        if stored.needs_compression and saved is SaveResult.SAVED:
            response.body = self._compressor.compress_on_close(context.key, stored, response.body)
        save_reason = None if saved is SaveResult.SAVED else saved.value
        status = context.build_status(stored=saved is SaveResult.SAVED, detail=save_reason)
        response.headers += self._storage_rules.unstored_fields(head, candidate)
        return self._header_writer.finish_fetched(response, first_stored, context.request, status)

    # pass

    def _respond_unstored(
        self,
        context: FetchContext,
        head: ResponseHead,
        body: Iterable[bytes],
        status: CacheStatus,
        *,
        length: int | None = None,
    ) -> GatewayResponse:
        """Return the application's response without internal fields and without a wrong length.

        `length` replaces the Content-Length of a head that is known to be wrong.
        """
        length = head.content_length if length is None else length
        pairs = repaired(head.status, head.pairs, length)
        headers = [
            *self._header_writer.without_internal_fields(pairs, context.request),
            self._header_writer.cache_status_line(status),
        ]
        environ = context.request.environ
        if has_no_body(head.status) or context.request.is_head:
            close_body(body)
            return GatewayResponse(head.status_line, headers, ())
        return GatewayResponse(head.status_line, headers, wsgi_call.measured(body, length, environ))

    def _body_of(self, key: bytes, stored: StoredResponse) -> Callable[[str], bytes | None]:
        return lambda coding: self._store.read_body(key, stored, coding)
