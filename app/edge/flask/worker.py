"""The purge worker of a process: catch up at the start, purge after writes, run the relay."""

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
from ..changes import history, log, outage
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

_BATCH_KEY = b"chain"
_HEADERS_KEY = b"spelt"
_log = logging.getLogger(__name__)


class PurgeWorker:
    """Purges the pages that a write of this process affects, and runs the relay of all writes."""

    def __init__(  # noqa: PLR0913 - as Edge.track has them
        self,
        engine: Engine,
        embedded: EmbeddedGateway | None,
        clock: Callable[[], datetime],
        hooks: Sequence[RelayHook],
        drift_monitor: DriftMonitor,
        front: EdgeChain,
        *,
        capacity: IndexCapacity | None = None,
        begin_build: Callable[[Connection], None] | None = None,
    ) -> None:
        self._engine = engine.execution_options(**INTERNAL_OPTIONS)
        self._embedded = embedded
        self._clock = clock
        self._drift_monitor = drift_monitor
        self._front = front
        self._begin_build = begin_build
        self._stored_batch_id = ""
        tiers: dict[Tier, Driver] = dict(front.tiers)
        self._gateway_driver = None if embedded is None else _driver_of(embedded)
        if embedded is not None and self._gateway_driver is not None:
            tiers[local_gateway_tier(embedded)] = self._gateway_driver
        hooks = (*hooks, drift_monitor.run, self._record_history)
        self.relay = Relay(self._engine, tiers, hooks=hooks, capacity=capacity)

    def run(self, stop: Event) -> None:
        """Deliver purges to the edges, and refill the gateway, until `stop` is set."""
        outage.outage_log(self._engine)
        side_threads = [
            Thread(target=_run_isolated, args=(work, stop), daemon=True)
            for work in self._side_tasks()
        ]
        for thread in side_threads:
            thread.start()
        _run_isolated(self.relay.run, stop)
        for thread in side_threads:
            thread.join()

    def stand_in(self) -> None:
        """Run the relay while no other relay is alive; return at once if one is."""
        with recorder.isolated():
            if not self.relay.is_needed():
                return
            _log.warning(
                "edge.relay_dead: no relay is alive; this process delivers purges until one is"
            )
            stop = Event()
            lease_thread = Thread(
                target=_run_isolated, args=(self._keep_lease_renewed, stop), daemon=True
            )
            lease_thread.start()
            try:
                self.relay.run(stop, elected=False)
            finally:
                stop.set()
                lease_thread.join()
            _log.warning("edge.relay_back: another relay is alive again")

    def _side_tasks(self) -> list[Callable[[Event], None]]:
        """Return the tasks that run in parallel to the relay, if there is a gateway."""
        if self._embedded is None:
            return []
        refill = self._embedded.refill
        return [self._keep_lease_renewed, *([] if refill is None else [refill.run])]

    def _keep_lease_renewed(self, stop: Event) -> None:
        while True:
            try:
                self.renew_lease()
            except Exception as error:  # noqa: BLE001 - the database may become available again
                if not outage.is_logged(error):
                    message = "edge.not_proved: the gateway's lease was not renewed"
                    _log.warning(message, exc_info=True)
            if stop.wait(RENEWAL_INTERVAL):
                return

    def renew_lease(self) -> None:
        """Renew the lease of this gateway. While it lasts, every write waits for its purges.

        A gateway that was retired because its heartbeat was missing is emptied and joins again.
        """
        if self._embedded is None or not self._embedded.lease.is_due:
            return
        tier, lease = local_gateway_tier(self._embedded), self._embedded.lease
        # Read before the database is updated, so the lease ends before others stop waiting for it.
        was_renewed, since = lease.has_been_renewed, lease.read_clocks()
        with self._engine.connect() as connection:
            was_retired = membership.was_retired(connection, tier, was_seen=was_renewed)
        if was_retired:
            self._rejoin_empty(self._embedded)
        if not was_renewed:
            lease.renew(since)  # before the heartbeat: a registered gateway needs a lease
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            is_joined = membership.record_heartbeat(connection, tier, self._clock())
        if is_joined:
            if lease.has_expired:
                self._purge_pending()  # writes did not wait for this gateway since then
            lease.renew(since)

    def _rejoin_empty(self, embedded: EmbeddedGateway) -> None:
        """Register this gateway again under the resolver lock, so that it misses no later purge."""
        name = local_gateway_tier(embedded).name
        message = "edge.gateway_came_back: %s was retired and begins with an empty store"
        _log.warning(message, name, extra={"tier": name})
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            acquire_resolver_lock(connection)
            membership.join(connection, local_gateway_tier(embedded), self._clock())
            embedded.gateway.purge_all()

    def after_write(self) -> None:
        """Purge the pages that a commit affects; after an error, the relay delivers the purges."""
        try:
            self.relay.flush(self._clock())
            self._record_history()
        except DBAPIError as error:
            if not outage.is_logged(error):
                reason = str(error).partition("\n")[0]
                message = "edge.flush_failed: the relay will deliver the purges of a commit: %s"
                _log.warning(message, reason, extra={"reason": reason})
        except Exception:  # noqa: BLE001 - the commit is done, and the relay delivers the purges
            _log.exception("edge.flush_failed: the relay will deliver the purges of a commit")

    def catch_up(self) -> None:
        """Apply all pending changes, so that no page is older than the database."""
        outage.outage_log(self._engine)  # from now on; a command ends with its error instead
        self._list_site()
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            acquire_resolver_lock(
                connection
            )  # a tier gets the purges of all changes resolved after it joined
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
        self._drift_monitor.check_now()
        self.relay.enqueue_changes(self._clock())
        self._purge_pending()
        self.relay.flush(self._clock())
        if self._embedded is not None:
            self._store_latest_batch_id(self._embedded, self._load_batch_ids())
            if self._embedded.lease.has_been_renewed:
                self.renew_lease()

    def _purge_if_headers_changed(self) -> None:
        """Purge the gateway if settings that decide CDN headers have changed."""
        if self._embedded is None:
            return
        digest = hashlib.blake2b(self._front.digest.encode(), digest_size=16).digest()
        with suppress(StoreError):  # as in _shares_history
            if self._embedded.store.get_metadata(_HEADERS_KEY) not in {None, digest}:
                self._embedded.gateway.purge_all()
            self._embedded.store.set_metadata(_HEADERS_KEY, digest)

    def _purge_pending(self) -> None:
        """Purge this gateway without claiming entries: the process with the claim may have died."""
        if self._embedded is None or self._gateway_driver is None:
            return
        with self._engine.connect() as connection:
            targets = outstanding_urls(connection, local_gateway_tier(self._embedded))
        with suppress(PurgeError):  # the store also serves nothing if it can't be purged
            if targets is None:
                self._gateway_driver.purge_everything()
            else:
                self._gateway_driver.purge(targets)

    def _list_site(self) -> None:
        """Add this site to the store's list, so that other processes purge its pages as well."""
        if self._embedded is None or not self._embedded.gateway.site:
            return
        site, site_urls = self._embedded.gateway.site, self._embedded.sites.list_sites()
        if site_urls is not None and site not in site_urls:
            self._embedded.sites.add(site)

    def _record_history(self, _now: datetime | None = None) -> None:
        """Store the id of the latest change batch.

        If the stored id is missing from the database, the database was replaced: purge everything.
        """
        if self._embedded is None:
            return
        self._list_site()
        # Read before the database, so that the stored batch is already committed.
        stored_batch_id, links = (
            self._embedded.store.get_metadata(_BATCH_KEY),
            self._load_batch_ids(),
        )
        if stored_batch_id is not None and stored_batch_id.decode() not in links:
            self._purge_foreign_history()
            links = self._load_batch_ids()
        self._store_latest_batch_id(self._embedded, links)

    def _store_latest_batch_id(self, embedded: EmbeddedGateway, links: Sequence[str]) -> None:
        newest = "".join(links[-1:])
        if newest != self._stored_batch_id and embedded.store.set_metadata(
            _BATCH_KEY, newest.encode()
        ):
            self._stored_batch_id = newest

    def _load_batch_ids(self) -> list[str]:
        with self._engine.connect() as connection:
            return history.batch_ids(connection)

    def _purge_foreign_history(self) -> None:
        """Purge everything: the database was replaced while this process ran."""
        _log.warning("edge.another_history: the database was replaced, so everything is purged")
        with self._engine.execution_options(**WRITE_OPTIONS).begin() as connection:
            log_everything_changed(connection)
        self.relay.flush(self._clock())

    def _shares_history(self, embedded: EmbeddedGateway, connection: Connection) -> bool:
        """Return whether the store's pages are from this database's history.

        A store that is new or whose gateway was retired is emptied; then the answer is True.
        """
        stored_batch_id = embedded.store.get_metadata(_BATCH_KEY)
        if (
            membership.join(connection, local_gateway_tier(embedded), self._clock())
            or stored_batch_id is None
        ):
            with suppress(StoreError):  # the store also serves nothing if it can't be emptied
                embedded.gateway.purge_all()
            return True
        return stored_batch_id.decode() in history.batch_ids(connection)


def _driver_of(embedded: EmbeddedGateway) -> GatewayDriver:
    """Return a driver that purges the pages of every site in this machine's store."""
    own = (embedded.gateway.site,) if embedded.gateway.site else ()

    def sites() -> tuple[str, ...] | None:
        site_urls = embedded.sites.list_sites()
        return None if site_urls is None else (*site_urls, *own)

    return GatewayDriver(embedded.gateway, sites)


def _run_isolated(work: Callable[[Event], None], stop: Event) -> None:
    """Run without a record: reads of the relay belong to no page."""
    with recorder.isolated():
        work(stop)


def local_gateway_tier(embedded: EmbeddedGateway) -> Tier:
    """Return the tier of this machine's gateway, named by a digest of host name and folder."""
    identity = f"{socket.gethostname()} {embedded.folder}"
    return membership.tier_of_gateway(hashlib.blake2b(identity.encode(), digest_size=6).hexdigest())
