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

from ..changes import chain
from ..changes.install import log_everything
from ..drivers.gateway import GatewayDriver
from ..gateway.store import StoreError
from ..purge import Relay, Tier
from ..purge.delivery import WRITING
from ..purge.relay import Hook
from ..sqlalchemy import INTERNAL

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from ..changes.watchman import Watchman
    from .embedded import Embedded

_CHAIN = b"chain"
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
    ) -> None:
        self._engine = engine.execution_options(**INTERNAL)
        self._embedded = embedded
        self._clock = clock
        self._watchman = watchman
        tiers = {}
        if embedded is not None:
            tiers[own_tier(embedded.place)] = GatewayDriver(embedded.gateway)
        self.relay = Relay(self._engine, tiers, hooks=(*hooks, watchman.watch))

    def after_write(self) -> None:
        """Purge what was just committed; whatever goes wrong, the write stands and is relayed."""
        try:
            self.relay.flush(self._clock())
        except Exception:  # noqa: BLE001 - the commit stands, and the relay comes again
            _log.exception("edge.flush_failed")

    def catch_up(self) -> None:
        """Make sure that no page is older than the database, before the first one is served."""
        with self._engine.execution_options(**WRITING).begin() as connection:
            if self._embedded and not _follows(self._embedded, chain.links(connection)):
                log_everything(connection)
            newest = chain.newest(connection)
        self._watchman.look()
        self.relay.flush(self._clock())
        if self._embedded:
            self._embedded.store.remember(_CHAIN, newest.encode())


def _follows(embedded: Embedded, links: Sequence[str]) -> bool:
    """Tell whether the gateway's store has seen this database's history, or none at all."""
    seen = embedded.store.note(_CHAIN)
    if seen is None:
        with suppress(StoreError):  # a store that can't be emptied serves nothing either
            embedded.gateway.purge_all()
        return True
    return seen.decode() in links


def own_tier(place: str) -> Tier:
    """The tier of this machine's gateway: the machine and the store's place are its name."""
    named = hashlib.blake2b(f"{socket.gethostname()} {place}".encode(), digest_size=6)
    return Tier(name=f"gateway-{named.hexdigest()}", depth=0)


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
