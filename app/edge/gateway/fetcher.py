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
from . import exchange, packing, reply
from .asked import Asked
from .invalidation import forget
from .keeper import Keeper
from .recent import Recent
from .reply import Reply
from .store import Saved
from .stored import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication

    from .exchange import Answered
    from .head import Head
    from .lookup import Found
    from .options import Options
    from .packer import Packer
    from .request import Request
    from .signing import Signer
    from .store import Store, Stored

_log: Final = logging.getLogger(__name__)
#: RFC 5861 section 4: what counts as the origin's failure.
_FAILURES: Final = frozenset({500, 502, 503, 504})
#: An origin that says this about a page takes back what it said before.
_WITHDRAWN: Final = frozenset({"no-store", "private", "vary-star"})
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
        signer: Signer,
        packer: Packer,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._store = store
        self._options = options
        self._signer = signer
        self._packer = packer
        self._clock = clock
        self._keeper = Keeper(options)
        #: Keys whose last answer could not be shared: nobody waits for them.
        self.unshared = Recent()
        # Appending to and popping from a list is atomic: a count of the questions in progress.
        self._asking: list[None] = []

    @property
    def asking(self) -> bool:
        """Whether the application is being asked just now."""
        return bool(self._asking)

    def ask(self, request: Request, key: bytes, found: Found) -> Reply:
        """Ask the application, and return what the reader is sent; store it if that may be."""
        alone = key in self.unshared
        token = self._store.token()
        asked = Asked(request=request, key=key, found=found, token=token, alone=alone)
        self._asking.append(None)
        try:
            return self._take(asked, exchange.ask(self._app, asked.environ(), self._clock))
        except Exception:
            stale = self.instead(request, key, found, "stale-if-error")
            if stale is None:
                raise
            _log.warning("gateway.origin_failed", exc_info=True, extra={"served": "stale"})
            return stale
        finally:
            self._asking.pop()

    def instead(
        self, request: Request, key: bytes, found: Found, detail: str, failed: int | None = None
    ) -> Reply | None:
        """Return the stale response where it may stand in for an error; else None."""
        stored = found.stored
        if stored is None or not self.may_stand_in(request, found):
            return None
        now = self._clock()
        sent = reply.made(request, stored, self._body_of(key, stored), now=now)
        if sent is None:
            return None
        ttl = stored.lifetime - (now - stored.born)
        status = CacheStatus(fwd=found.fwd, fwd_status=failed, ttl=ttl, detail=detail)
        return self._signer.forwarded(sent, stored, request, status, now)

    def may_stand_in(self, request: Request, found: Found) -> bool:
        """Tell whether the stored response could be used if the application fails."""
        return found.stored is not None and reuse.instead_of_error(
            found.stored,
            age=found.age,
            asked=request.asked,
            otherwise=self._options.stale_if_error.total_seconds(),
        )

    def _take(self, asked: Asked, answered: Answered) -> Reply:
        status, stored = answered.head.status, asked.found.stored
        if stored is not None and status in _FAILURES:
            stale = self.instead(asked.request, asked.key, asked.found, "stale-if-error", status)
            if stale is not None:
                answered.body.close()
                return stale
        if asked.request.asks_for_head:
            return self._take_head(asked, answered, stored)
        if stored is not None and status == _NOT_MODIFIED:
            if answered.finding:
                answered.body.close()
                return self._again(asked)
            return self._validated(asked, answered, stored)
        return self._fetched(asked, answered)

    # validate

    def _validated(self, asked: Asked, answered: Answered, stored: Stored) -> Reply:
        """Freshen what a 304 confirms; ask again, without conditions, for what it doesn't."""
        answered.body.close()
        if not validators.confirms(answered.head.fields, stored.fields):
            return self._again(asked)
        freshened = self._keeper.freshened(stored, answered.head, asked.request)
        now, newer = self._clock(), freshened.stored
        sent = reply.made(asked.request, newer, self._body_of(asked.key, stored), now=now)
        if sent is None:
            return self._again(asked)
        saved = self._freshen(asked, newer, freshened.verdict)
        candidate = self._keeper.candidate(answered.head, asked.request)
        sent.headers += [
            pair
            for pair in self._keeper.unkept(answered.head, candidate)
            if pair[0].lower() != "age"
        ]
        status = asked.status(fwd_status=_NOT_MODIFIED, stored=saved is Saved.SAVED)
        return self._signer.forwarded(sent, newer, asked.request, status, now)

    def _freshen(self, asked: Asked, newer: Stored, verdict: storing.Verdict) -> Saved | None:
        if verdict.store:
            return self._store.freshen(asked.key, newer, token=asked.token)
        self._withdraw(asked, verdict.reason)
        return None

    def _again(self, asked: Asked) -> Reply:
        """Fetch what a validation can't answer for."""
        environ = asked.request.question()
        without = replace(
            asked, found=asked.found.without(), token=self._store.token(), alone=False
        )
        return self._fetched(without, exchange.ask(self._app, environ, self._clock))

    def _take_head(self, asked: Asked, answered: Answered, stored: Stored | None) -> Reply:
        """Let a HEAD freshen the stored response it confirms, else make it stale (4.3.5)."""
        head = answered.head
        if stored is not None and head.status == _OK and not answered.finding:
            if self._speaks_of(stored, head):
                freshened = self._keeper.freshened(stored, head, asked.request)
                self._freshen(asked, freshened.stored, freshened.verdict)
            else:
                doubtful = replace(stored, lifetime=0, while_revalidate=0, if_error=0)
                self._store.freshen(asked.key, doubtful, token=asked.token)
        status = asked.status(detail=answered.finding)
        return self._passed_on(asked, head, answered.body.remaining(), status)

    def _speaks_of(self, stored: Stored, head: Head) -> bool:
        length = stored.answers["identity"].body.length
        return head.length in {None, length} and validators.confirms(head.fields, stored.fields)

    # fetch

    def _fetched(self, asked: Asked, answered: Answered) -> Reply:
        """Store a complete answer that may be shared; pass on any other."""
        head, body = answered.head, answered.body
        candidate = self._keeper.candidate(head, asked.request)
        verdict = storing.verdict(candidate)
        reason, content = verdict.reason, None
        if verdict.store:
            obstacle = answered.finding or self._obstacle(asked, head)
            reason, content = (obstacle, None) if obstacle else self._read(asked, head, body)
        if content is not None and reason == "complete":
            return self._store_it(asked, head, content, candidate)
        self._withdraw(asked, reason)
        _log.debug("gateway.not_stored", extra={"reason": reason, "key": asked.key})
        status = asked.status(detail=answered.finding or reason)
        already = content is None and self._already(asked, head, candidate, status)
        self._remember(asked.key, reason)
        if already:
            body.close()
            return already
        if content is not None:
            # The application has given all it has: its Content-Length is the only thing wrong.
            return self._passed_on(asked, head, (content,), status, length=INVALID)
        return self._passed_on(asked, head, body.remaining(), status)

    def _obstacle(self, asked: Asked, head: Head) -> str | None:
        """Return why a response that may be stored is for its reader alone; None if it is not."""
        if not asked.conditional:
            return None
        # Without conditions it would come whole, each time, and never be kept.
        return "too-large" if (head.length or 0) > self._options.largest else "conditional"

    def _read(self, asked: Asked, head: Head, body: exchange.Body) -> tuple[str, bytes | None]:
        """Read a body that may be stored; one that breaks off is raised if a stale page helps."""
        try:
            return self._content(head, body)
        except Exception:
            if self.may_stand_in(asked.request, asked.found):
                body.close()
                raise
            return "incomplete", None

    def _remember(self, key: bytes, reason: str) -> None:
        """Note that responses for this key are not shared; without conditions they may be."""
        if reason == "conditional":
            self.unshared.discard(key)
        else:
            self.unshared.add(key)

    def _already(
        self, asked: Asked, head: Head, candidate: storing.Candidate, status: CacheStatus
    ) -> Reply | None:
        """Return the 304 that the application would have said if we had let it see the conditions.

        None when it did see them, or when they don't hold.
        """
        if not asked.request.conditional or head.status != _OK or asked.conditional:
            return None
        etag = head.fields.first("etag")
        bodies = (Body(coding="identity", length=head.length or 0, etag=etag),)
        made = self._keeper.made(head, candidate, asked.request, bodies)
        sent = reply.made(asked.request, made, lambda _: None, now=head.received_at)
        if sent is not None:
            sent.headers += self._keeper.unkept(head, candidate)
        return sent and self._signer.fetched(sent, made, asked.request, status)

    def _content(self, head: Head, body: exchange.Body) -> tuple[str, bytes | None]:
        """Return the body, None if it is too large to keep, and whether it is complete."""
        if has_no_body(head.status):
            body.close()
            return "complete", b""
        length = head.length
        if length is not None and not 0 <= length <= self._options.largest:
            return ("too-large" if length > 0 else "content-length"), None
        content = body.spool(self._options.largest)
        if content is None:
            return "too-large", None
        return ("complete" if length in {None, len(content)} else "incomplete"), content

    def _withdraw(self, asked: Asked, reason: str) -> None:
        if asked.found.stored is not None and reason in _WITHDRAWN:
            forget(self._store, asked.key)

    # store

    def _store_it(
        self, asked: Asked, head: Head, content: bytes, candidate: storing.Candidate
    ) -> Reply:
        kept = self._keeper.kept(head, content, candidate, asked.request)
        bodies = {"identity": content}
        saved = self._store.save(asked.key, kept, bodies, token=asked.token)
        self.unshared.discard(asked.key)
        if saved is not Saved.SAVED:
            _log.info("gateway.not_saved", extra={"reason": saved.value, "key": asked.key})
        shown = kept
        if kept.unpacked:
            accepted = asked.request.header("accept-encoding")
            shown, bodies = packing.sent_at_once(kept, content, accepted)
        sent = reply.made(asked.request, shown, bodies.get, now=head.received_at)
        assert sent is not None
        if kept.unpacked and saved is Saved.SAVED:
            sent.body = self._packer.afterwards(asked.key, kept, sent.body)
        refused = None if saved is Saved.SAVED else saved.value
        status = asked.status(stored=saved is Saved.SAVED, detail=refused)
        sent.headers += self._keeper.unkept(head, candidate)
        return self._signer.fetched(sent, shown, asked.request, status)

    # pass

    def _passed_on(
        self,
        asked: Asked,
        head: Head,
        body: Iterable[bytes],
        status: CacheStatus,
        *,
        length: int | None = None,
    ) -> Reply:
        """Return an answer as it came, without what is for caches only and a wrong framing.

        `length` is the Content-Length where the head's own is known to be wrong.
        """
        length = head.length if length is None else length
        pairs = repaired(head.status, head.pairs, length)
        headers = [*self._signer.shown(pairs, asked.request), self._signer.said(status)]
        environ = asked.request.environ
        if has_no_body(head.status) or asked.request.is_head:
            reply.close(body)
            return Reply(head.line, headers, ())
        return Reply(head.line, headers, exchange.measured(body, length, environ))

    def _body_of(self, key: bytes, stored: Stored) -> Callable[[str], bytes | None]:
        return lambda coding: self._store.body(key, stored, coding)
