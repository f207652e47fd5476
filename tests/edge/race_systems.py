"""Two systems for the race search: the real parts on SQLite, and a fast model of them."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.edge.cdn import PurgeTarget
from app.edge.cdn.gateway import GatewayDriver
from app.edge.changes import current_log_position
from app.edge.dependencies import Dependency, PublicSchema
from app.edge.gateway.store.memory import MemoryStore
from app.edge.pages import IndexedPage, RegistrationResult
from app.edge.pages.register import register
from app.edge.purge import Tier, resolve_and_enqueue
from app.edge.purge.claim import Claim, claim_entries
from app.edge.purge.delivery import Delivery
from app.edge.purge.outcome import record_success
from app.edge.testing import MemoryDriver

from .dependencies.conftest import run_and_record
from .gateway.store_contract import stored
from .purge.conftest import NOW, WATCHED, Clock, build, connect, create_runtime, post
from .race_search import Body, Rules

URL = "/p"
FLIGHT = timedelta(seconds=10)
QUERY = sa.select(post.c.id, post.c.version).order_by(post.c.id)
SCHEMA = PublicSchema.from_watched_tables(WATCHED)


@dataclass(frozen=True, slots=True)
class PurgeableStore:
    """A gateway's store that can be purged by URL."""

    store: MemoryStore

    def purge(self, url: str) -> int:
        """Delete a page."""
        return self.store.purge(url.encode())

    def purge_all(self) -> int:
        """Delete all pages."""
        return self.store.purge_all()


class Real:
    """The real change log, page index, outbox, store and drivers."""

    def __init__(self, rules: Rules, *, posts: int, warm: bool) -> None:
        self.rules = rules
        self.engine = connect("sqlite://")
        build(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.insert(post), [{"id": n, "version": 0} for n in range(posts)])
            connection.exec_driver_sql("UPDATE edge_change SET resolved = true")
            self._dependencies: set[Dependency] = run_and_record(connection, QUERY, SCHEMA)[1]
        self.clock = Clock()
        self.store = MemoryStore()
        self.cdn = MemoryDriver()
        flight = FLIGHT if rules.second_purge else timedelta(0)
        inner = Tier(name="gateway", depth=0)
        outer = Tier(name="cdn", depth=1 if rules.inside_out else 0, max_flight_time=flight)
        self.tiers = (inner, outer)
        self.driver = GatewayDriver(PurgeableStore(self.store))
        self._gateway = Delivery(self.engine, inner, self.driver, create_runtime(self.clock))
        self._cdn = Delivery(self.engine, outer, self.cdn, create_runtime(self.clock))
        if warm:
            assert self.register(self.mark())
            self.keep(self.render_page(), self.token())

    def save(self) -> Any:
        """Return the bytes of the database and copies of the tiers."""
        store = {name: copy.copy(getattr(self.store, name)) for name in _STORE_ATTRIBUTES}
        return self._raw.serialize(), store, dict(self.cdn.entries), copy.copy(self.clock)

    def restore(self, saved: Any) -> None:
        """Restore a saved state."""
        database, store, cdn, clock = saved
        self._raw.deserialize(database)
        for name in _STORE_ATTRIBUTES:
            setattr(self.store, name, copy.copy(store[name]))
        self.cdn.entries = dict(cdn)
        self.clock.now, self.clock._ticks = clock.now, clock._ticks

    def key(self) -> Hashable:
        """Return the state without random values."""
        tables = tuple(tuple(self._raw.execute(query)) for query in _STATE_QUERIES)
        return tables, self.stored_bodies(), self.store._counter, self._generation, self.clock.now

    @property
    def _raw(self) -> Any:
        with self.engine.connect() as connection:
            return connection.connection.dbapi_connection

    @property
    def _generation(self) -> int:
        return self.store._purge_counts.get(URL.encode(), 0)

    def lookup(self) -> Body | None:
        """Return the body in the gateway, or None."""
        for entry in self.store.load(URL.encode()):
            body = self.store.read_body(URL.encode(), entry, "identity")
            return None if body is None else body.decode()
        return None

    def token(self) -> int:
        """Return the gateway's purge counter."""
        return self.store.purge_token()

    def mark(self) -> str:
        """Return the current log position."""
        with self.engine.begin() as connection:
            return current_log_position(connection)

    def render_page(self) -> Body:
        """Render the page from the database."""
        with self.engine.begin() as connection:
            return ",".join(str(row.version) for row in connection.execute(QUERY))

    def register(self, mark: str) -> bool:
        """Register the page, unless it changed since the log position."""
        page = IndexedPage(
            url=URL,
            tag="p-1",
            etag='"e"',
            policy="test",
            registered_at=NOW,
            expires_at=NOW + timedelta(days=9),
        )
        since = mark if self.rules.check else self.mark()
        with self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            return (
                register(connection, page, self._dependencies, [since])
                is RegistrationResult.REGISTERED
            )

    def keep(self, body: Body, token: int) -> None:
        """Store the page in the gateway."""
        self.store.save(URL.encode(), stored(), {"identity": body.encode()}, token=token)

    def arrive(self, body: Body) -> None:
        """Store the page at the CDN."""
        self.cdn.store(URL, body)

    def stored_bodies(self) -> tuple[Body | None, Body | None]:
        """Return the bodies in the gateway and at the CDN."""
        return self.lookup(), self.cdn.get_body(URL)

    def commit(self, number: int) -> None:
        """Change a post and commit."""
        with self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            bump = sa.update(post).where(post.c.id == number)
            connection.execute(bump.values(version=post.c.version + 1))

    def alter_unseen(self, number: int) -> None:
        """Change a post after its pages were purged."""
        self.commit(number)
        with self.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE edge_change SET resolved = true")

    def purge_by_hand(self) -> None:
        """Purge the page everywhere."""
        self.driver.purge([PurgeTarget(url=URL)])
        self.cdn.purge([PurgeTarget(url=URL)])

    def settle(self) -> None:
        """Resolve the changes and enqueue the purges."""
        with self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            resolve_and_enqueue(connection, self.tiers, self.clock.now)

    def claim(self) -> Claim | None:
        """Claim the pending purges of the gateway."""
        with self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            claim_or_idle = claim_entries(
                connection, self.tiers[0], self.driver.limits, self.clock.now
            )
        return claim_or_idle if isinstance(claim_or_idle, Claim) else None

    def call(self, claim: Claim) -> None:
        """Purge the claimed pages from the gateway."""
        self.driver.purge(claim.targets)

    def record(self, claim: Claim) -> None:
        """Record that the purge succeeded."""
        with self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            record_success(connection, self.tiers[0], claim, self.clock.now)

    def purge_gateway(self) -> None:
        """Claim, call and record in one step."""
        self._gateway.drain(self.clock.now)

    def purge_cdn(self) -> None:
        """Send the due purges to the CDN."""
        self._cdn.drain(self.clock.now)

    def pass_time(self) -> None:
        """Advance the clock by the maximum flight time of a response."""
        self.clock.advance(FLIGHT)


_STORE_ATTRIBUTES = ("_entries", "_size", "_counter", "_min_token", "_purge_counts")
_STATE_QUERIES = (
    "SELECT id, resolved FROM edge_change ORDER BY id",
    "SELECT version FROM post ORDER BY id",
    "SELECT url FROM edge_page",
    """
    SELECT id, tier, state, again, upto, due_at, attempts, claimed_until, sent_at, settled_at
    FROM edge_outbox ORDER BY id
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An outbox entry; times are counted in flight times."""

    id: int
    inner: bool
    upto: int
    needs_second_purge: bool
    due: int
    sent_at: int | None = None
    settled_at: int | None = None

    @property
    def pending(self) -> bool:
        """Whether it has not been sent."""
        return self.sent_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The complete state of the model."""

    versions: tuple[int, ...]
    changes: int = 0
    resolved: int = 0
    registered: bool = False
    gateway: Body | None = None
    counter: int = 0
    generation: int = 0
    cdn: Body | None = None
    now: int = 0
    outbox: tuple[Entry, ...] = ()


@dataclass(slots=True)
class Model:
    """A model with the same behaviour as `Real`."""

    rules: Rules
    posts: int
    warm: bool
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = State(versions=(0,) * self.posts)
        if self.warm:
            self.register("0")
            self.keep(self.render_page(), 0)

    def _update_state(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def save(self) -> State:
        """Return the state."""
        return self.state

    def restore(self, saved: State) -> None:
        """Restore a saved state."""
        self.state = saved

    def key(self) -> Hashable:
        """Return the state."""
        return self.state

    def lookup(self) -> Body | None:
        """Return the body in the gateway, or None."""
        return self.state.gateway

    def token(self) -> int:
        """Return the gateway's purge counter."""
        return self.state.counter

    def mark(self) -> str:
        """Return the current log position."""
        return str(self.state.changes)

    def render_page(self) -> Body:
        """Render the page."""
        return ",".join(map(str, self.state.versions))

    def register(self, mark: str) -> bool:
        """Register the page, unless a post changed since the log position."""
        is_registered = int(mark) == self.state.changes or not self.rules.check
        if is_registered:
            self._update_state(registered=True)
        return is_registered

    def keep(self, body: Body, token: int) -> None:
        """Store the page in the gateway."""
        if self.state.generation <= token:
            self._update_state(gateway=body)

    def arrive(self, body: Body) -> None:
        """Store the page at the CDN."""
        self._update_state(cdn=body)

    def stored_bodies(self) -> tuple[Body | None, Body | None]:
        """Return the bodies in the gateway and at the CDN."""
        return self.state.gateway, self.state.cdn

    def commit(self, number: int) -> None:
        """Change a post and commit."""
        versions = list(self.state.versions)
        versions[number] += 1
        self._update_state(versions=tuple(versions), changes=self.state.changes + 1)

    def alter_unseen(self, number: int) -> None:
        """Change a post after its pages were purged."""
        self.commit(number)
        self._update_state(resolved=self.state.changes)

    def purge_by_hand(self) -> None:
        """Purge the page everywhere."""
        self._purge_store()
        self._update_state(cdn=None)

    def settle(self) -> None:
        """Enqueue a purge for both tiers, in a pending entry or a new one."""
        state = self.state
        if state.resolved == state.changes:
            return
        self._update_state(resolved=state.changes)
        for inner in (True, False) if state.registered else ():
            self._enqueue(inner=inner)

    def _enqueue(self, *, inner: bool) -> None:
        entries = self.state.outbox
        last = len(entries)
        if any(e.pending and e.inner is inner for e in entries):
            self._update_state(
                outbox=tuple(
                    replace(e, upto=last) if e.pending and e.inner is inner else e for e in entries
                ),
            )
            return
        needs_second_purge = not inner and self.rules.second_purge
        entry = Entry(
            id=last + 1,
            inner=inner,
            upto=last,
            needs_second_purge=needs_second_purge,
            due=self.state.now,
        )
        self._update_state(outbox=(*entries, entry))

    def claim(self) -> Any:
        """Raise an error: the model purges in one step."""
        raise NotImplementedError

    def call(self, claim: Any) -> None:
        """Raise an error: the model purges in one step."""
        raise NotImplementedError

    def record(self, claim: Any) -> None:
        """Raise an error: the model purges in one step."""
        raise NotImplementedError

    def purge_gateway(self) -> None:
        """Claim, call and record in one step."""
        pending = [e for e in self.state.outbox if e.inner and e.pending]
        if pending:
            self._purge_store()
            self._record_sent(pending)

    def purge_cdn(self) -> None:
        """Send the due purges to the CDN."""
        due = [e for e in self.state.outbox if not e.inner and self._due(e)]
        if due:
            self._update_state(cdn=None)
            self._record_sent(due)

    def _due(self, entry: Entry) -> bool:
        state = self.state
        if entry.settled_at is not None or entry.due > state.now:
            return False
        if not self.rules.inside_out:
            return True
        before = [e for e in state.outbox if e.inner and e.id <= entry.upto]
        if entry.pending:
            return not any(e.pending for e in before)
        return all(e.settled_at is not None and e.settled_at < state.now for e in before)

    def _record_sent(self, entries: Sequence[Entry]) -> None:
        now = self.state.now
        updated_entries = {
            e.id: replace(e, sent_at=now, needs_second_purge=False, due=now + 1)
            if e.needs_second_purge
            else replace(e, sent_at=now if e.sent_at is None else e.sent_at, settled_at=now)
            for e in entries
        }
        self._update_state(outbox=tuple(updated_entries.get(e.id, e) for e in self.state.outbox))

    def _purge_store(self) -> None:
        counter = self.state.counter + 1
        self._update_state(gateway=None, counter=counter, generation=counter)

    def pass_time(self) -> None:
        """Advance the clock by the maximum flight time of a response."""
        self._update_state(now=self.state.now + 1)
