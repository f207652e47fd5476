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

from ..cdn import Driver, PurgeError
from ..cdn.gateway import GatewayDriver
from ..changes import history, log
from ..changes.triggers import log_everything_changed
from ..dependencies import recorder
from ..dependencies.engine_events import INTERNAL_OPTIONS
from ..gateway.store.base import StoreError
from ..pages.resolver_lock import WRITE_OPTIONS, acquire_resolver_lock
from ..purge import Relay, Tier, membership
from ..purge.claim import outstanding_urls
from ..purge.lease import RENEWAL_INTERVAL
from ..purge.relay import RelayHook

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from ..changes.drift_monitor import DriftMonitor
    from ..pages import IndexCapacity
    from ..purge.edge_chain import EdgeChain
    from .embedded_gateway import EmbeddedGateway

_CHAIN = b"chain"
_SPELT = b"spelt"
_log = logging.getLogger(__name__)


class PurgeWorker:
    """Purges what a write of this process touched, and relays everybody's writes to the edges."""

    def __init__(  # noqa: PLR0913 - as Edge.track has them
        self,
        engine: Engine,
        embedded: EmbeddedGateway | None,
        clock: Callable[[], datetime],
        hooks: Sequence[RelayHook],
        watchman: DriftMonitor,
        front: EdgeChain,
        *,
        capacity: IndexCapacity | None = None,
        begin_build: Callable[[Connection], None] | None = None,
    ) -> None:
        self._engine = engine.execution_options(**INTERNAL_OPTIONS)
        self._embedded = embedded
        self._clock = clock
        self._watchman = watchman
        self._front = front
        self._begin_build = begin_build
        self._stored_batch_id = ""
        tiers: dict[Tier, Driver] = dict(front.tiers)
        self._gateway_driver = None if embedded is None else _driver_of(embedded)
        if embedded is not None and self._gateway_driver is not None:
            tiers[local_gateway_tier(embedded)] = self._gateway_driver
        hooks = (*hooks, watchman.run, self._record_history)
        self.relay = Relay(self._engine, tiers, hooks=hooks, capacity=capacity)

    def run(self, stop: Event) -> None:
        """Take changes to the edges, and fill the gateway again, until `stop` is set."""
        beside = [
            Thread(target=_run_isolated, args=(work, stop), daemon=True)
            for work in self._side_tasks()
        ]
        for thread in beside:
            thread.start()
        _run_isolated(self.relay.run, stop)
        for thread in beside:
            thread.join()

    def stand_in(self) -> None:
        """Do the relay's work for as long as no other relay is alive; return at once if one is."""
        with recorder.isolated():
            if not self.relay.is_needed():
                return
            _log.warning("edge.relay_dead: no relay is alive; this process delivers until one is")
            over = Event()
            proving = Thread(
                target=_run_isolated, args=(self._keep_lease_renewed, over), daemon=True
            )
            proving.start()
            try:
                self.relay.run(over, elected=False)
            finally:
                over.set()
                proving.join()
            _log.warning("edge.relay_back: another relay is alive again")

    def _side_tasks(self) -> list[Callable[[Event], None]]:
        """What is done beside relaying, where there is a gateway."""
        if self._embedded is None:
            return []
        refill = self._embedded.refill
        return [self._keep_lease_renewed, *([] if refill is None else [refill.run])]

    def _keep_lease_renewed(self, stop: Event) -> None:
        while True:
            try:
                self.renew_lease()
            except Exception:  # noqa: BLE001 - a database that is away comes back; the lease ends
                _log.warning("edge.not_proved", exc_info=True)
            if stop.wait(RENEWAL_INTERVAL):
                return

    def renew_lease(self) -> None:
        """Renew the lease of our gateway, as purges reach it: everybody waits for it then.

        One that was given up meanwhile, since it was not heard of, begins empty.
        """
        if self._embedded is None or not self._embedded.lease.is_due:
            return
        tier, lease = local_gateway_tier(self._embedded), self._embedded.lease
        # Both from before the database is told: it lasts no longer than others wait for us.
        was_renewed, since = lease.has_been_renewed, lease.read_clocks()
        with self._engine.connect() as connection:
            was_retired = membership.lost(connection, tier, known=was_renewed)
        if was_retired:
            self._rejoin_empty(self._embedded)
        if not was_renewed:
            lease.renew(since)  # who says that it is there has to know when it is not
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            is_joined = membership.record_heartbeat(connection, tier, self._clock())
        if is_joined:
            if lease.has_expired:
                self._purge_pending()  # nobody has waited for us meanwhile
            lease.renew(since)

    def _rejoin_empty(self, embedded: EmbeddedGateway) -> None:
        """Join anew; nothing is resolved in between that would not be owed to us."""
        _log.warning("edge.gateway_came_back", extra={"tier": local_gateway_tier(embedded).name})
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            acquire_resolver_lock(connection)
            membership.join(connection, local_gateway_tier(embedded), self._clock())
            embedded.gateway.purge_all()

    def after_write(self) -> None:
        """Purge what was just committed; whatever goes wrong, the write stands and is relayed."""
        try:
            self.relay.flush(self._clock())
            self._record_history()
        except DBAPIError as error:
            reason = str(error).partition("\n")[0]
            _log.warning("edge.flush_failed", extra={"reason": reason})
        except Exception:  # noqa: BLE001 - the commit stands, and the relay comes again
            _log.exception("edge.flush_failed")

    def catch_up(self) -> None:
        """Make sure that no page is older than the database, before the first one is served."""
        self._list_site()
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            acquire_resolver_lock(connection)  # who joins is owed all that is resolved from then on
            for tier in self._front.tiers:
                membership.join(connection, tier, self._clock())
            if log.is_from_other_cluster(connection):
                log.reset_log(connection)
            if self._begin_build is not None:
                self._begin_build(connection)
            if self._embedded and not self._shares_history(self._embedded, connection):
                log_everything_changed(connection)
            history.latest_batch_id(connection)
        self._purge_if_headers_changed()
        self._watchman.check_now()
        self.relay.enqueue_changes(self._clock())
        self._purge_pending()
        self.relay.flush(self._clock())
        if self._embedded is not None:
            self._store_latest_batch_id(self._embedded, self._load_batch_ids())
            if self._embedded.lease.has_been_renewed:
                self.renew_lease()

    def _purge_if_headers_changed(self) -> None:
        """Forget pages that tell the edges what other settings said of them."""
        if self._embedded is None:
            return
        digest = hashlib.blake2b(self._front.digest.encode(), digest_size=16).digest()
        with suppress(StoreError):  # as in _follows
            if self._embedded.store.get_metadata(_SPELT) not in {None, digest}:
                self._embedded.gateway.purge_all()
            self._embedded.store.set_metadata(_SPELT, digest)

    def _purge_pending(self) -> None:
        """Purge our gateway without a claim: who holds one may have died with it."""
        if self._embedded is None or self._gateway_driver is None:
            return
        with self._engine.connect() as connection:
            targets = outstanding_urls(connection, local_gateway_tier(self._embedded))
        with suppress(PurgeError):  # a store that can't be purged serves nothing either
            if targets is None:
                self._gateway_driver.purge_everything()
            else:
                self._gateway_driver.purge(targets)

    def _list_site(self) -> None:
        """List our site in the store, so that other processes purge our pages as well."""
        if self._embedded is None or not self._embedded.gateway.site:
            return
        site, site_urls = self._embedded.gateway.site, self._embedded.sites.known()
        if site_urls is not None and site not in site_urls:
            self._embedded.sites.add(site)

    def _record_history(self, _now: datetime | None = None) -> None:
        """Let the store know how far the history goes that its pages are from."""
        if self._embedded is None:
            return
        self._list_site()
        # Looked at before the database: what is noted there by now was committed.
        stored_batch_id, links = self._embedded.store.get_metadata(_CHAIN), self._load_batch_ids()
        if stored_batch_id is not None and stored_batch_id.decode() not in links:
            self._purge_foreign_history()
            links = self._load_batch_ids()
        self._store_latest_batch_id(self._embedded, links)

    def _store_latest_batch_id(self, embedded: EmbeddedGateway, links: Sequence[str]) -> None:
        newest = "".join(links[-1:])
        if newest != self._stored_batch_id and embedded.store.set_metadata(_CHAIN, newest.encode()):
            self._stored_batch_id = newest

    def _load_batch_ids(self) -> list[str]:
        with self._engine.connect() as connection:
            return history.batch_ids(connection)

    def _purge_foreign_history(self) -> None:
        """Purge everything: the database was restored or exchanged while this process ran."""
        _log.warning("edge.another_history")
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            log_everything_changed(connection)
        self.relay.flush(self._clock())

    def _shares_history(self, embedded: EmbeddedGateway, connection: Connection) -> bool:
        """Tell whether the gateway's store has seen this database's history, or holds nothing.

        One that nobody was owing anything to, because it is new or was given up, begins empty.
        """
        stored_batch_id = embedded.store.get_metadata(_CHAIN)
        if (
            membership.join(connection, local_gateway_tier(embedded), self._clock())
            or stored_batch_id is None
        ):
            with suppress(StoreError):  # a store that can't be emptied serves nothing either
                embedded.gateway.purge_all()
            return True
        return stored_batch_id.decode() in history.batch_ids(connection)


def _driver_of(embedded: EmbeddedGateway) -> GatewayDriver:
    """The driver of this machine's gateway: it purges the pages of every site in the store."""
    own = (embedded.gateway.site,) if embedded.gateway.site else ()

    def sites() -> tuple[str, ...] | None:
        site_urls = embedded.sites.known()
        return None if site_urls is None else (*site_urls, *own)

    return GatewayDriver(embedded.gateway, sites)


def _run_isolated(work: Callable[[Event], None], stop: Event) -> None:
    """What a relay reads is nobody's page."""
    with recorder.isolated():
        work(stop)


def local_gateway_tier(embedded: EmbeddedGateway) -> Tier:
    """The tier of this machine's gateway: the machine and the store's place are its name."""
    place = f"{socket.gethostname()} {embedded.folder}"
    return membership.tier_of_gateway(hashlib.blake2b(place.encode(), digest_size=6).hexdigest())
