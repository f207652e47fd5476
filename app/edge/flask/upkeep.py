"""Upkeep: the pages that are out there follow what is written, from a process's first request."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from ..changes import chain, log
from ..changes.install import log_everything
from ..drivers import Driver
from ..drivers.gateway import GatewayDriver
from ..gateway.store import StoreError
from ..purge import Relay, Tier, gateways
from ..purge.claim import owed
from ..purge.delivery import WRITING
from ..purge.relay import Hook
from ..sqlalchemy import INTERNAL

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from ..changes.watchman import Watchman
    from ..front import Front
    from .embedded import Embedded

_CHAIN = b"chain"
_SPELT = b"spelt"
_log = logging.getLogger(__name__)


class Upkeep:
    """Purges what a write of this process touched, and relays everybody's writes to the edges."""

    def __init__(
        self,
        engine: Engine,
        embedded: Embedded | None,
        clock: Callable[[], datetime],
        hooks: Sequence[Hook],
        watchman: Watchman,
        front: Front,
    ) -> None:
        self._engine = engine.execution_options(**INTERNAL)
        self._embedded = embedded
        self._clock = clock
        self._watchman = watchman
        self._front = front
        self._seen = ""
        tiers: dict[Tier, Driver] = dict(front.tiers)
        if embedded is not None:
            tiers[own_tier(embedded)] = GatewayDriver(embedded.gateway)
        self.relay = Relay(self._engine, tiers, hooks=(*hooks, watchman.watch, self._remember))

    def after_write(self) -> None:
        """Purge what was just committed; whatever goes wrong, the write stands and is relayed."""
        try:
            self.relay.flush(self._clock())
            self._remember()
        except Exception:  # noqa: BLE001 - the commit stands, and the relay comes again
            _log.exception("edge.flush_failed")

    def catch_up(self) -> None:
        """Make sure that no page is older than the database, before the first one is served."""
        with self._engine.execution_options(**WRITING).begin() as connection:
            for tier in self._front.tiers:
                gateways.join(connection, tier, self._clock())
            if log.is_foreign(connection):
                log.begin_anew(connection)
            if self._embedded and not self._follows(self._embedded, connection):
                log_everything(connection)
            chain.newest(connection)
        self._respell()
        self._watchman.look()
        self.relay.settle(self._clock())
        self._purge_what_is_owed()
        self.relay.flush(self._clock())
        self._remember()

    def _respell(self) -> None:
        """Forget pages that tell the edges what other settings said of them."""
        if self._embedded is None:
            return
        digest = hashlib.blake2b(self._front.digest.encode(), digest_size=16).digest()
        with suppress(StoreError):  # as in _follows
            if self._embedded.store.note(_SPELT) not in {None, digest}:
                self._embedded.gateway.purge_all()
            self._embedded.store.remember(_SPELT, digest)

    def _purge_what_is_owed(self) -> None:
        """Purge our gateway without a claim: who holds one may have died with it."""
        if self._embedded is None:
            return
        with self._engine.connect() as connection:
            urls = owed(connection, own_tier(self._embedded))
        with suppress(StoreError):  # as in _follows
            if urls is None:
                self._embedded.gateway.purge_all()
            for url in urls or ():
                self._embedded.gateway.purge(url)

    def _remember(self, _now: datetime | None = None) -> None:
        """Let the store know how far the history goes that its pages are from."""
        if self._embedded is None:
            return
        with self._engine.connect() as connection:
            newest = "".join(chain.links(connection)[-1:])
        if newest != self._seen and self._embedded.store.remember(_CHAIN, newest.encode()):
            self._seen = newest

    def _follows(self, embedded: Embedded, connection: Connection) -> bool:
        """Tell whether the gateway's store has seen this database's history, or holds nothing.

        One that nobody was owing anything to, because it is new or was given up, begins empty.
        """
        seen = embedded.store.note(_CHAIN)
        if gateways.join(connection, own_tier(embedded), self._clock()) or seen is None:
            with suppress(StoreError):  # a store that can't be emptied serves nothing either
                embedded.gateway.purge_all()
            return True
        return seen.decode() in chain.links(connection)


def own_tier(embedded: Embedded) -> Tier:
    """The tier of this machine's gateway: the machine and the store's place are its name."""
    place = f"{socket.gethostname()} {embedded.place}"
    return gateways.named(hashlib.blake2b(place.encode(), digest_size=6).hexdigest())


class Awake:
    """Catches up before a process serves its first request, and starts its relay."""

    def __init__(
        self, wsgi: Callable[..., Iterable[bytes]], upkeep: Upkeep, *, relay: bool
    ) -> None:
        self._wsgi = wsgi
        self._upkeep = upkeep
        self._relay = relay
        self._process = 0
        self._lock = Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on; the first one of a process waits until everything is fresh."""
        if self._process != os.getpid():
            self._wake()
        return self._wsgi(environ, start_response)

    def _wake(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._upkeep.catch_up()
            if self._relay:
                Thread(target=self._upkeep.relay.run, args=(Event(),), daemon=True).start()
            self._process = os.getpid()
