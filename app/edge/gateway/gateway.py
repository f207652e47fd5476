"""Gateway: a shared cache around a WSGI application: pass, lookup, and the turn to fetch.

Each response says in Cache-Status what became of its request. Instants are epoch seconds: the
clock is read on every HIT.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from ..http import reuse
from ..http.cache_status import CacheStatus, Forwarded
from . import exchange, reply
from .background import Background, Overdue, Racing
from .fetcher import Fetcher
from .invalidation import forget, invalidated
from .leader import Role, ThreadCollapse
from .lookup import Found, lookup
from .options import Options
from .packer import Packer
from .request import Keying, Request, drop_connection_fields, quiet
from .signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import Pair
    from .leader import Collapse
    from .reply import Reply
    from .store import Store

_READS: Final = frozenset({"GET", "HEAD"})
_SAFE: Final = _READS | {"OPTIONS", "TRACE"}
_AT_ONCE: Final = timedelta(0)


class Gateway:
    """WSGI middleware: answers from the store where RFC 9111 allows it, else asks `app`."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        store: Store,
        options: Options | None = None,
        collapse: Collapse | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._store = store
        self._options = options or Options()
        self._collapse = collapse or ThreadCollapse()
        self._clock = clock
        self._followed = self._options.followed or _always
        self._keying = Keying(self._options)
        self._signer = Signer(self._options)
        self._packer = Packer(store)
        self._fetcher = Fetcher(
            app, store, self._options, signer=self._signer, packer=self._packer, clock=clock
        )
        self._background = Background(self._options.background)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        drop_connection_fields(environ)
        if environ["REQUEST_METHOD"] not in _READS:
            return self._pass(environ, start_response, CacheStatus(fwd=Forwarded.METHOD))
        request = Request(environ, self._options, self._keying)
        key = request.key
        if key is None:
            status = CacheStatus(fwd=Forwarded.BYPASS, detail=request.detail)
            return self._pass(environ, start_response, status)
        now = self._clock()
        found = lookup(request, self._store.load(key), now)
        if found.usable and not self._followed():
            found = found.doubted()
        sent = self._hit(request, key, found, now) if found.usable else None
        if sent is None:
            sent = self._forward(request, key, found.without() if found.usable else found)
        start_response(sent.line, sent.headers)
        return sent.body

    def speak_for(self, site: str) -> None:
        """Be one site's, whatever Host a reader names; ValueError when it is another's already.

        To be called before the first request.
        """
        settled = replace(self._options, site=site)
        if self._options.site is not None and Keying(settled).of_url("/") != self.key("/"):
            raise ValueError(f"the gateway speaks for {self._options.site}, not for {site}")
        self._options, self._keying = settled, Keying(settled)

    @property
    def site(self) -> str:
        """The one site that it speaks for, such as `https://example.org`; empty when any."""
        return self._options.site or ""

    def purge(self, url: str) -> int:
        """Forget every variant of a URL; return how many there were.

        The URL is absolute, or a path where the options name the site; else ValueError.
        """
        return self._store.purge(self.key(url))

    def key(self, url: str) -> bytes:
        """Return the key of a URL, as `purge` takes it."""
        return self._keying.of_url(url)

    def purge_all(self) -> int:
        """Forget everything; return how many responses there were."""
        return self._store.purge_all()

    @property
    def asking(self) -> bool:
        """Whether the application is making an answer for a reader in this process just now."""
        return self._fetcher.asking

    def fill(self, key: bytes) -> None:
        """Make a page for readers to come, as if one had asked for it; raises what they would see.

        It obeys the store's token like any other, and one that is there already is left alone.
        """
        for _ in self(quiet(key, self._options), _unheard):
            """Nobody reads it: it is stored on its way."""

    def drain(self, timeout: timedelta) -> bool:
        """Wait until nothing runs in the background; False when that took too long."""
        return self._background.drain(timeout) and self._packer.drain(timeout)

    def _pass(
        self, environ: WSGIEnvironment, start_response: StartResponse, status: CacheStatus
    ) -> Iterable[bytes]:
        """Let the application answer; a success of an unsafe method invalidates first."""
        unsafe = environ["REQUEST_METHOD"] not in _SAFE

        def rewrite(line: str, headers: list[Pair]) -> list[Pair]:
            if unsafe:
                for key in invalidated(environ, line, headers, self._keying):
                    forget(self._store, key)
            said = replace(status, detail=environ.get(exchange.FINDING) or status.detail)
            return [*self._signer.shown(headers, None), self._signer.said(said)]

        return exchange.passed_on(self._app, environ, start_response, rewrite)

    def _hit(self, request: Request, key: bytes, found: Found, now: float) -> Reply | None:
        """Return what a reader is sent without asking; None when the body is gone."""
        stored = found.stored
        assert stored is not None
        sent = reply.made(request, stored, partial(self._store.body, key, stored), now=now)
        if sent is None:
            return None
        if found.use is reuse.Use.REFRESH:
            self._refresh(request, key, found)
        if stored.unpacked:
            sent.body = self._packer.afterwards(key, stored, sent.body)
        return self._signer.hit(sent, found, request, now)

    def _refresh(self, request: Request, key: bytes, found: Found) -> None:
        """Ask behind the reader's back, unless another process does (RFC 5861 section 3)."""
        quiet = request.detached(self._keying)

        def job() -> None:
            with self._collapse.lead(key, _AT_ONCE) as role:
                if role is Role.LEADER:
                    reply.close(self._fetcher.ask(quiet, key, found).body)

        self._background.start(key, job)

    def _forward(self, request: Request, key: bytes, found: Found) -> Reply:
        """Ask the application, one reader a page at a time; the others get its answer."""
        if "only-if-cached" in request.asked:
            return self._not_cached(request)
        with self._turn(request, key, found) as role:
            if role is Role.FOLLOWER:
                again = lookup(request, self._store.load(key), self._clock())
                sent = self._collapsed(request, key, again, found) if again.usable else None
                if sent is not None:
                    return sent
                found = again.without() if again.usable else again
            return self._ask(request, key, found)

    def _turn(self, request: Request, key: bytes, found: Found) -> AbstractContextManager[Role]:
        """Return the turn to ask; who could not use another's answer takes none."""
        alone = request.asks_for_head or request.authorized or found.use is reuse.Use.REQUEST
        # While purges don't reach us, nobody believes what another has stored either.
        alone = alone or not self._followed()
        if alone or key in self._fetcher.unshared:
            return nullcontext(Role.ALONE)
        return self._collapse.lead(key, self._options.wait)

    def _collapsed(self, request: Request, key: bytes, again: Found, found: Found) -> Reply | None:
        stored, now = again.stored, self._clock()
        assert stored is not None
        sent = reply.made(request, stored, partial(self._store.body, key, stored), now=now)
        status = CacheStatus(fwd=found.fwd, collapsed=True)
        return sent and self._signer.forwarded(sent, stored, request, status, now)

    def _ask(self, request: Request, key: bytes, found: Found) -> Reply:
        """Ask, but no longer than the deadline where something stale may stand in."""
        deadline = self._options.deadline
        if deadline is None or not self._fetcher.may_stand_in(request, found):
            return self._fetcher.ask(request, key, found)
        race = Racing(partial(self._fetcher.ask, request, key, found), _drop)
        if self._background.start((key, "overdue"), race.run):
            with suppress(Overdue):
                sent: Reply = race.wait(deadline)
                return sent
        stale = self._fetcher.instead(request, key, found, "overdue")
        return stale or self._fetcher.ask(request, key, found)

    def _not_cached(self, request: Request) -> Reply:
        refused = reply.own("504 Gateway Timeout", "Nothing usable is stored for this request.")
        refused.headers.append(self._signer.said(CacheStatus(detail="only-if-cached")))
        if request.is_head:
            refused.body = ()
        return refused


def _unheard(
    _status: str, _headers: list[Pair], _exc_info: object = None, /
) -> Callable[[bytes], object]:
    """Take a response's head for nobody."""
    return len


def _always() -> bool:
    return True


def _drop(sent: Reply) -> None:
    reply.close(sent.body)
