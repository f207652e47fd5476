"""Upkeep: the pages that are out there follow what is written, from a process's first request."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..changes import chain, log
from ..changes.install import log_everything
from ..drivers import Driver, PurgeError
from ..drivers.gateway import GatewayDriver
from ..gateway.store import StoreError
from ..index.lock import WRITING, exclude
from ..purge import Relay, Tier, gateways
from ..purge.claim import owed
from ..purge.relay import Hook
from ..reads import recorder
from ..sqlalchemy import INTERNAL
from .lease import RENEWED

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from ..changes.watchman import Watchman
    from ..front import Front
    from ..index import Bound
    from .embedded import Embedded

_CHAIN = b"chain"
_SPELT = b"spelt"
_log = logging.getLogger(__name__)


class Upkeep:
    """Purges what a write of this process touched, and relays everybody's writes to the edges."""

    def __init__(  # noqa: PLR0913 - as Edge.track has them
        self,
        engine: Engine,
        embedded: Embedded | None,
        clock: Callable[[], datetime],
        hooks: Sequence[Hook],
        watchman: Watchman,
        front: Front,
        *,
        bound: Bound | None = None,
        begin_build: Callable[[Connection], None] | None = None,
    ) -> None:
        self._engine = engine.execution_options(**INTERNAL)
        self._embedded = embedded
        self._clock = clock
        self._watchman = watchman
        self._front = front
        self._begin_build = begin_build
        self._seen = ""
        tiers: dict[Tier, Driver] = dict(front.tiers)
        self._gateway_driver = None if embedded is None else _driver_of(embedded)
        if embedded is not None and self._gateway_driver is not None:
            tiers[own_tier(embedded)] = self._gateway_driver
        hooks = (*hooks, watchman.watch, self._remember)
        self.relay = Relay(self._engine, tiers, hooks=hooks, bound=bound)

    def run(self, stop: Event) -> None:
        """Take changes to the edges, and fill the gateway again, until `stop` is set."""
        beside = [Thread(target=_apart, args=(work, stop), daemon=True) for work in self._beside()]
        for thread in beside:
            thread.start()
        _apart(self.relay.run, stop)
        for thread in beside:
            thread.join()

    def stand_in(self) -> None:
        """Do the relay's work for as long as no other relay is alive; return at once if one is."""
        with recorder.apart():
            if not self.relay.is_needed():
                return
            _log.warning("edge.relay_dead: no relay is alive; this process delivers until one is")
            over = Event()
            proving = Thread(target=_apart, args=(self._go_on_proving, over), daemon=True)
            proving.start()
            try:
                self.relay.run(over, elected=False)
            finally:
                over.set()
                proving.join()
            _log.warning("edge.relay_back: another relay is alive again")

    def _beside(self) -> list[Callable[[Event], None]]:
        """What is done beside relaying, where there is a gateway."""
        if self._embedded is None:
            return []
        refill = self._embedded.refill
        return [self._go_on_proving, *([] if refill is None else [refill.run])]

    def _go_on_proving(self, stop: Event) -> None:
        while True:
            try:
                self.prove()
            except Exception:  # noqa: BLE001 - a database that is away comes back; the lease ends
                _log.warning("edge.not_proved", exc_info=True)
            if stop.wait(RENEWED):
                return

    def prove(self) -> None:
        """Renew the lease of our gateway, as purges reach it: everybody waits for it then.

        One that was given up meanwhile, since it was not heard of, begins empty.
        """
        if self._embedded is None or not self._embedded.lease.due:
            return
        tier, lease = own_tier(self._embedded), self._embedded.lease
        # Both from before the database is told: it lasts no longer than others wait for us.
        known, since = lease.known, lease.moment()
        with self._engine.connect() as connection:
            lost = gateways.lost(connection, tier, known=known)
        if lost:
            self._begin_empty(self._embedded)
        if not known:
            lease.renew(since)  # who says that it is there has to know when it is not
        with self._engine.execution_options(**WRITING).begin() as connection:
            reached = gateways.seen(connection, tier, self._clock())
        if reached:
            if lease.over:
                self._purge_what_is_owed()  # nobody has waited for us meanwhile
            lease.renew(since)

    def _begin_empty(self, embedded: Embedded) -> None:
        """Join anew; nothing is resolved in between that would not be owed to us."""
        _log.warning("edge.gateway_came_back", extra={"tier": own_tier(embedded).name})
        with self._engine.execution_options(**WRITING).begin() as connection:
            exclude(connection)
            gateways.join(connection, own_tier(embedded), self._clock())
            embedded.gateway.purge_all()

    def after_write(self) -> None:
        """Purge what was just committed; whatever goes wrong, the write stands and is relayed."""
        try:
            self.relay.flush(self._clock())
            self._remember()
        except DBAPIError as error:
            reason = str(error).partition("\n")[0]
            _log.warning("edge.flush_failed", extra={"reason": reason})
        except Exception:  # noqa: BLE001 - the commit stands, and the relay comes again
            _log.exception("edge.flush_failed")

    def catch_up(self) -> None:
        """Make sure that no page is older than the database, before the first one is served."""
        self._list_site()
        with self._engine.execution_options(**WRITING).begin() as connection:
            exclude(connection)  # who joins is owed all that is resolved from then on
            for tier in self._front.tiers:
                gateways.join(connection, tier, self._clock())
            if log.is_foreign(connection):
                log.begin_anew(connection)
            if self._begin_build is not None:
                self._begin_build(connection)
            if self._embedded and not self._follows(self._embedded, connection):
                log_everything(connection)
            chain.newest(connection)
        self._respell()
        self._watchman.look()
        self.relay.settle(self._clock())
        self._purge_what_is_owed()
        self.relay.flush(self._clock())
        if self._embedded is not None:
            self._note(self._embedded, self._links())
            if self._embedded.lease.known:
                self.prove()

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
        if self._embedded is None or self._gateway_driver is None:
            return
        with self._engine.connect() as connection:
            targets = owed(connection, own_tier(self._embedded))
        with suppress(PurgeError):  # a store that can't be purged serves nothing either
            if targets is None:
                self._gateway_driver.purge_everything()
            else:
                self._gateway_driver.purge(targets)

    def _list_site(self) -> None:
        """List our site in the store, so that other processes purge our pages as well."""
        if self._embedded is None or not self._embedded.gateway.site:
            return
        site, known = self._embedded.gateway.site, self._embedded.sites.known()
        if known is not None and site not in known:
            self._embedded.sites.add(site)

    def _remember(self, _now: datetime | None = None) -> None:
        """Let the store know how far the history goes that its pages are from."""
        if self._embedded is None:
            return
        self._list_site()
        # Looked at before the database: what is noted there by now was committed.
        noted, links = self._embedded.store.note(_CHAIN), self._links()
        if noted is not None and noted.decode() not in links:
            self._distrust()
            links = self._links()
        self._note(self._embedded, links)

    def _note(self, embedded: Embedded, links: Sequence[str]) -> None:
        newest = "".join(links[-1:])
        if newest != self._seen and embedded.store.remember(_CHAIN, newest.encode()):
            self._seen = newest

    def _links(self) -> list[str]:
        with self._engine.connect() as connection:
            return chain.links(connection)

    def _distrust(self) -> None:
        """Purge everything: the database was restored or exchanged while this process ran."""
        _log.warning("edge.another_history")
        with self._engine.execution_options(**WRITING).begin() as connection:
            log_everything(connection)
        self.relay.flush(self._clock())

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


def _driver_of(embedded: Embedded) -> GatewayDriver:
    """The driver of this machine's gateway: it purges the pages of every site in the store."""
    own = (embedded.gateway.site,) if embedded.gateway.site else ()

    def sites() -> tuple[str, ...] | None:
        known = embedded.sites.known()
        return None if known is None else (*known, *own)

    return GatewayDriver(embedded.gateway, sites)


def _apart(work: Callable[[Event], None], stop: Event) -> None:
    """What a relay reads is nobody's page."""
    with recorder.apart():
        work(stop)


def own_tier(embedded: Embedded) -> Tier:
    """The tier of this machine's gateway: the machine and the store's place are its name."""
    place = f"{socket.gethostname()} {embedded.place}"
    return gateways.named(hashlib.blake2b(place.encode(), digest_size=6).hexdigest())
