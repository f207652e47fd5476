"""Fetcher: asks the application: validate, fetch, and store what may be stored.

The token is read before the application is asked, so that nothing fetched before a purge is
stored after it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..http import reuse, storing, validators
from ..http.cache_status import CacheStatus
from ..http.framing import INVALID, has_no_body, repaired
from . import content_coding, response, wsgi_call
from .fetch_context import FetchContext
from .invalidation import purge_or_log
from .lru_set import LruSet
from .response import GatewayResponse
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
#: RFC 5861 section 4: what counts as the origin's failure.
_ERROR_STATUSES: Final = frozenset({500, 502, 503, 504})
#: An origin that says this about a page takes back what it said before.
_PURGING_REASONS: Final = frozenset({"no-store", "private", "vary-star"})
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class Fetcher:
    """Everything that happens between a miss and its answer."""

    def __init__(
        self,
        app: WSGIApplication,
        store: Store,
        options: Options,
        *,
        signer: HeaderWriter,
        packer: Compressor,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._store = store
        self._options = options
        self._signer = signer
        self._packer = packer
        self._clock = clock
        self._keeper = StorageRules(options)
        #: Keys whose last answer could not be shared: nobody waits for them.
        self.hit_for_miss = LruSet()
        # Appending to and popping from a list is atomic: a count of the questions in progress.
        self._asking: list[None] = []

    @property
    def is_fetching(self) -> bool:
        """Whether the application is being asked just now."""
        return bool(self._asking)

    def fetch(self, request: Request, key: bytes, found: LookupResult) -> GatewayResponse:
        """Ask the application, and return what the reader is sent; store it if that may be."""
        alone = key in self.hit_for_miss
        token = self._store.purge_token()
        asked = FetchContext(
            request=request, key=key, lookup_result=found, purge_token=token, alone=alone
        )
        self._asking.append(None)
        try:
            return self._handle_response(
                asked, wsgi_call.call_application(self._app, asked.environ(), self._clock)
            )
        except Exception:
            stale = self.respond_stale(request, key, found, "stale-if-error")
            if stale is None:
                raise
            _log.warning("gateway.origin_failed", exc_info=True, extra={"served": "stale"})
            return stale
        finally:
            self._asking.pop()

    def respond_stale(
        self,
        request: Request,
        key: bytes,
        found: LookupResult,
        detail: str,
        failed: int | None = None,
    ) -> GatewayResponse | None:
        """Return the stale response where it may stand in for an error; else None."""
        stored = found.stored
        if stored is None or not self.can_serve_stale(request, found):
            return None
        now = self._clock()
        sent = response.build_response(request, stored, self._body_of(key, stored), now=now)
        if sent is None:
            return None
        ttl = stored.lifetime - (now - stored.generated_at)
        status = CacheStatus(fwd=found.fwd, fwd_status=failed, ttl=ttl, detail=detail)
        return self._signer.finish_forwarded(sent, stored, request, status, now)

    def can_serve_stale(self, request: Request, found: LookupResult) -> bool:
        """Tell whether the stored response could be used if the application fails."""
        return found.stored is not None and reuse.instead_of_error(
            found.stored,
            age=found.age,
            asked=request.directives,
            otherwise=self._options.stale_if_error.total_seconds(),
        )

    def _handle_response(self, asked: FetchContext, answered: OriginResponse) -> GatewayResponse:
        status, stored = answered.head.status, asked.lookup_result.stored
        if stored is not None and status in _ERROR_STATUSES:
            stale = self.respond_stale(
                asked.request, asked.key, asked.lookup_result, "stale-if-error", status
            )
            if stale is not None:
                answered.body.close()
                return stale
        if asked.request.fetches_head_only:
            return self._handle_head(asked, answered, stored)
        if stored is not None and status == _NOT_MODIFIED:
            if answered.finding:
                answered.body.close()
                return self._refetch(asked)
            return self._handle_not_modified(asked, answered, stored)
        return self._handle_content(asked, answered)

    # validate

    def _handle_not_modified(
        self, asked: FetchContext, answered: OriginResponse, stored: StoredResponse
    ) -> GatewayResponse:
        """Freshen what a 304 confirms; ask again, without conditions, for what it doesn't."""
        answered.body.close()
        if not validators.matches_stored(answered.head.fields, stored.fields):
            return self._refetch(asked)
        freshened = self._keeper.freshen(stored, answered.head, asked.request)
        now, newer = self._clock(), freshened.stored
        sent = response.build_response(
            asked.request, newer, self._body_of(asked.key, stored), now=now
        )
        if sent is None:
            return self._refetch(asked)
        saved = self._freshen(asked, newer, freshened.verdict)
        candidate = self._keeper.candidate(answered.head, asked.request)
        sent.headers += [
            pair
            for pair in self._keeper.unstored_fields(answered.head, candidate)
            if pair[0].lower() != "age"
        ]
        status = asked.status(fwd_status=_NOT_MODIFIED, stored=saved is SaveResult.SAVED)
        return self._signer.finish_forwarded(sent, newer, asked.request, status, now)

    def _freshen(
        self, asked: FetchContext, newer: StoredResponse, verdict: storing.StorageDecision
    ) -> SaveResult | None:
        if verdict.store:
            return self._store.freshen(asked.key, newer, token=asked.purge_token)
        self._purge_if_uncacheable(asked, verdict.reason)
        return None

    def _refetch(self, asked: FetchContext) -> GatewayResponse:
        """Fetch what a validation can't answer for."""
        environ = asked.request.environ_for_origin()
        without = replace(
            asked,
            lookup_result=asked.lookup_result.as_miss(),
            purge_token=self._store.purge_token(),
            alone=False,
        )
        return self._handle_content(
            without, wsgi_call.call_application(self._app, environ, self._clock)
        )

    def _handle_head(
        self, asked: FetchContext, answered: OriginResponse, stored: StoredResponse | None
    ) -> GatewayResponse:
        """Let a HEAD freshen the stored response it confirms, else make it stale (4.3.5)."""
        head = answered.head
        if stored is not None and head.status == _OK and not answered.finding:
            if self._confirms_stored(stored, head):
                freshened = self._keeper.freshen(stored, head, asked.request)
                self._freshen(asked, freshened.stored, freshened.verdict)
            else:
                doubtful = replace(stored, lifetime=0, stale_while_revalidate=0, stale_if_error=0)
                self._store.freshen(asked.key, doubtful, token=asked.purge_token)
        status = asked.status(detail=answered.finding)
        return self._respond_unstored(asked, head, answered.body.remaining(), status)

    def _confirms_stored(self, stored: StoredResponse, head: ResponseHead) -> bool:
        length = stored.representations["identity"].body.length
        return head.content_length in {None, length} and validators.matches_stored(
            head.fields, stored.fields
        )

    # fetch

    def _handle_content(self, asked: FetchContext, answered: OriginResponse) -> GatewayResponse:
        """Store a complete answer that may be shared; pass on any other."""
        head, body = answered.head, answered.body
        candidate = self._keeper.candidate(head, asked.request)
        verdict = storing.decide_storage(candidate)
        reason, content = verdict.reason, None
        if verdict.store:
            obstacle = answered.finding or self._obstacle(asked, head)
            reason, content = (obstacle, None) if obstacle else self._read(asked, head, body)
        if content is not None and reason == "complete":
            return self._store_and_respond(asked, head, content, candidate)
        self._purge_if_uncacheable(asked, reason)
        _log.debug("gateway.not_stored", extra={"reason": reason, "key": asked.key})
        status = asked.status(detail=answered.finding or reason)
        already = content is None and self._not_modified_response(asked, head, candidate, status)
        self._remember(asked.key, reason)
        if already:
            body.close()
            return already
        if content is not None:
            # The application has given all it has: its Content-Length is the only thing wrong.
            return self._respond_unstored(asked, head, (content,), status, length=INVALID)
        return self._respond_unstored(asked, head, body.remaining(), status)

    def _obstacle(self, asked: FetchContext, head: ResponseHead) -> str | None:
        """Return why a response that may be stored is for its reader alone; None if it is not."""
        if not asked.conditional:
            return None
        # Without conditions it would come whole, each time, and never be kept.
        return (
            "too-large"
            if (head.content_length or 0) > self._options.max_body_size
            else "conditional"
        )

    def _read(
        self, asked: FetchContext, head: ResponseHead, body: wsgi_call.BodyReader
    ) -> tuple[str, bytes | None]:
        """Read a body that may be stored; one that breaks off is raised if a stale page helps."""
        try:
            return self._read_content(head, body)
        except Exception:
            if self.can_serve_stale(asked.request, asked.lookup_result):
                body.close()
                raise
            return "incomplete", None

    def _remember(self, key: bytes, reason: str) -> None:
        """Note that responses for this key are not shared; without conditions they may be."""
        if reason == "conditional":
            self.hit_for_miss.discard(key)
        else:
            self.hit_for_miss.add(key)

    def _not_modified_response(
        self,
        asked: FetchContext,
        head: ResponseHead,
        candidate: storing.StorageCandidate,
        status: CacheStatus,
    ) -> GatewayResponse | None:
        """Return the 304 that the application would have said if we had let it see the conditions.

        None when it did see them, or when they don't hold.
        """
        if not asked.request.is_conditional or head.status != _OK or asked.conditional:
            return None
        etag = head.fields.first("etag")
        bodies = (BodyInfo(coding="identity", length=head.content_length or 0, etag=etag),)
        made = self._keeper.build(head, candidate, asked.request, bodies)
        sent = response.build_response(asked.request, made, lambda _: None, now=head.received_at)
        if sent is not None:
            sent.headers += self._keeper.unstored_fields(head, candidate)
        return sent and self._signer.finish_fetched(sent, made, asked.request, status)

    def _read_content(
        self, head: ResponseHead, body: wsgi_call.BodyReader
    ) -> tuple[str, bytes | None]:
        """Return the body, None if it is too large to keep, and whether it is complete."""
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

    def _purge_if_uncacheable(self, asked: FetchContext, reason: str) -> None:
        if asked.lookup_result.stored is not None and reason in _PURGING_REASONS:
            purge_or_log(self._store, asked.key)

    # store

    def _store_and_respond(
        self,
        asked: FetchContext,
        head: ResponseHead,
        content: bytes,
        candidate: storing.StorageCandidate,
    ) -> GatewayResponse:
        kept = self._keeper.build_stored(head, content, candidate, asked.request)
        bodies = {"identity": content}
        saved = self._store.save(asked.key, kept, bodies, token=asked.purge_token)
        self.hit_for_miss.discard(asked.key)
        if saved is not SaveResult.SAVED:
            _log.info("gateway.not_saved", extra={"reason": saved.value, "key": asked.key})
        shown = kept
        if kept.needs_compression:
            accepted = asked.request.header("accept-encoding")
            shown, bodies = content_coding.compress_fast(kept, content, accepted)
        sent = response.build_response(asked.request, shown, bodies.get, now=head.received_at)
        assert sent is not None
        if kept.needs_compression and saved is SaveResult.SAVED:
            sent.body = self._packer.compress_on_close(asked.key, kept, sent.body)
        refused = None if saved is SaveResult.SAVED else saved.value
        status = asked.status(stored=saved is SaveResult.SAVED, detail=refused)
        sent.headers += self._keeper.unstored_fields(head, candidate)
        return self._signer.finish_fetched(sent, shown, asked.request, status)

    # pass

    def _respond_unstored(
        self,
        asked: FetchContext,
        head: ResponseHead,
        body: Iterable[bytes],
        status: CacheStatus,
        *,
        length: int | None = None,
    ) -> GatewayResponse:
        """Return an answer as it came, without what is for caches only and a wrong framing.

        `length` is the Content-Length where the head's own is known to be wrong.
        """
        length = head.content_length if length is None else length
        pairs = repaired(head.status, head.pairs, length)
        headers = [
            *self._signer.without_internal_fields(pairs, asked.request),
            self._signer.cache_status_line(status),
        ]
        environ = asked.request.environ
        if has_no_body(head.status) or asked.request.is_head:
            response.close_body(body)
            return GatewayResponse(head.status_line, headers, ())
        return GatewayResponse(head.status_line, headers, wsgi_call.measured(body, length, environ))

    def _body_of(self, key: bytes, stored: StoredResponse) -> Callable[[str], bytes | None]:
        return lambda coding: self._store.read_body(key, stored, coding)
