"""Renders and writers in every order of their steps leave no stale page.

A writer's own steps end with the purge of the gateway. The CDN may be stale until its second
purge, one maximum flight time later. Each rule is broken once to show that the search detects it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.config.parsers import database_url
from app.edge.changes import current_log_position
from app.edge.dependencies import Dependency
from app.edge.pages import RegistrationResult
from app.edge.pages.resolve import resolve
from tests.depth import choose_cases, examples

from .dependencies.conftest import run_and_record
from .pages.conftest import register_page
from .purge.conftest import build, connect, post
from .race_search import Actors, Clock, Render, Rules, Writer, movable, search
from .race_systems import QUERY, SCHEMA, Model, Real

TWO = (Writer(post=0), Writer(post=1))
SMALL: dict[str, Actors] = {
    "1 render, 2 writers": (Render(), *TWO),
    "2 renders, 1 writer": (Render(), Render(), Writer(post=0)),
}
LARGE: dict[str, Actors] = {
    "2 renders, 2 writers": (Render(), Render(), *TWO),
    "2 renders, 2 writers, time": (Render(), Render(), *TWO, Clock()),
}
LARGE_CASES = [
    pytest.param(actors, warm, id=f"{name}, {'warm' if warm else 'cold'}")
    for warm in (False, True)
    for name, actors in LARGE.items()
]
WARMTH = pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])


@WARMTH
@pytest.mark.parametrize("actors", SMALL.values(), ids=SMALL)
def test_no_order_of_the_real_parts_leaves_a_stale_page(actors: Actors, *, warm: bool) -> None:
    """Neither in the gateway nor at the CDN; the model has the same number of states and ends."""
    result = search(Real(Rules(), posts=2, warm=warm), actors)
    assert (result.gateway, result.cdn) == (None, None)
    model = search(Model(rules=Rules(), posts=2, warm=warm), actors)
    assert (model.states, model.ends) == (result.states, result.ends)


@WARMTH
def test_no_order_of_a_purge_in_parts_leaves_a_stale_page(*, warm: bool) -> None:
    """Other steps run between claim, call and record, and the claim expires."""
    actors: Actors = (Render(), Writer(post=0, parts=True), Clock())
    result = search(Real(Rules(), posts=1, warm=warm), actors)
    assert (result.gateway, result.cdn) == (None, None)
    assert result.ends > 10


@pytest.mark.parametrize(("actors", "warm"), choose_cases(LARGE_CASES))
def test_no_order_of_two_renders_and_two_writers_leaves_a_stale_page(
    actors: Actors, *, warm: bool
) -> None:
    """The model covers all orders of more actors."""
    result = search(Model(rules=Rules(), posts=2, warm=warm), actors)
    assert (result.gateway, result.cdn) == (None, None)
    assert result.ends > 200


@WARMTH
def test_the_model_does_what_the_real_parts_do(*, warm: bool) -> None:
    """In random orders both have the same pages and counters after each step."""
    random = Random(3)
    real, model = Real(Rules(), posts=2, warm=warm), Model(rules=Rules(), posts=2, warm=warm)
    start_states, before = (real.save(), model.save()), int(real.mark())
    for _ in range(examples(60)):
        actors = modelled = LARGE["2 renders, 2 writers, time"]
        real.restore(start_states[0])
        model.restore(start_states[1])
        while moving := list(movable(actors)):
            number = random.choice(moving)
            real_actor, model_actor = actors[number].step(real), modelled[number].step(model)
            assert (real_actor.at, real.stored_bodies(), real.token()) == (
                model_actor.at,
                model.stored_bodies(),
                model.token(),
            )
            assert (int(real.mark()) - before, real.render_page()) == (
                int(model.mark()),
                model.render_page(),
            )
            modelled = (*modelled[:number], model_actor, *modelled[number + 1 :])
            actors = (*actors[:number], real_actor, *actors[number + 1 :])


BROKEN = {
    "registering without the check": (Rules(check=False), "gateway"),
    "registering after it was stored": (Rules(register_first=False), "gateway"),
    "storing without a token": (Rules(token=False), "gateway"),
    "reading the token after the page was made": (Rules(token_first=False), "gateway"),
    "purging before the commit": (Rules(commit_first=False), "gateway"),
    "purging the CDN without regard to the gateway": (Rules(inside_out=False), "cdn"),
    "purging the CDN only once": (Rules(second_purge=False), "cdn"),
}


@pytest.mark.parametrize(("rules", "where"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", [Real, Model])
def test_without_any_of_the_rules_some_order_leaves_a_stale_page(
    rules: Rules, where: str, kind: type[Real | Model]
) -> None:
    """Each rule is needed, and the search detects that it is broken."""
    actors: Actors = (Render(), Writer(post=0), Clock(ticks=2))
    if where == "cdn":
        result = search(kind(rules=rules, posts=1, warm=True), actors)
        assert result.gateway is None
    else:
        result = search(kind(rules=rules, posts=1, warm=False), actors, until=where)
    assert getattr(result, where) is not None


def orders(remaining: tuple[int, int, int] = (3, 3, 3)) -> Iterator[tuple[int, ...]]:
    """Yield the orders of the remaining steps of a render (0) and two writers (1 before 2)."""
    if not any(remaining):
        yield ()
    for who, count in enumerate(remaining):
        if count and not (who == 2 and remaining[1] == 3):
            after = tuple(n - (each == who) for each, n in enumerate(remaining))
            yield from ((who, *rest) for rest in orders(after))  # type: ignore[arg-type]  # a tuple of three


class Overlap:
    """One render of a page, and two writers with a transaction each."""

    def __init__(self, engine: Engine, *, by_number: bool, cursor: bool) -> None:
        self.engine = engine
        self.by_number, self.cursor = by_number, cursor
        self.position, self.number, self.body = "", 0, ""
        self.dependencies: set[Dependency] = set()
        self.purged: bool | None = None
        self.open: dict[int, Connection] = {}

    def run(self, order: Sequence[int]) -> bool:
        """Run the steps in this order; return whether a stale page is left."""
        step_counts = [0, 0, 0]
        for who in order:
            name = ("mark", "render", "register") if who == 0 else ("write", "commit", "settle")
            step = getattr(self, name[step_counts[who]])
            step(who) if who else step()
            step_counts[who] += 1
        self.settle(0)
        with self.engine.begin() as connection:
            fresh = self._render_body(connection)
        return self.purged is False and self.body != fresh

    def mark(self) -> None:
        """Begin the render."""
        with self.engine.begin() as connection:
            self.position = current_log_position(connection)
            self.number = self._last(connection)

    def render(self) -> None:
        """Render the page."""
        with self.engine.begin() as connection:
            _, self.dependencies = run_and_record(connection, QUERY, SCHEMA)
        with self.engine.begin() as connection:
            self.body = self._render_body(connection)

    def register(self) -> None:
        """Register the page; with `by_number`, compare only the numbers of the log."""
        with self.engine.begin() as connection:
            at = self.position
            if self.by_number and self._last(connection) == self.number:
                at = current_log_position(connection)
            is_registered = (
                register_page(connection, "/p", self.dependencies, mark=at)
                is RegistrationResult.REGISTERED
            )
        self.purged = False if is_registered else None

    def write(self, who: int) -> None:
        """Change a post without a commit."""
        connection = self.open[who] = self.engine.connect()
        connection.execute(sa.update(post).where(post.c.id == who).values(version=1))

    def commit(self, who: int) -> None:
        """Commit the change."""
        connection = self.open.pop(who)
        connection.commit()
        connection.close()

    def settle(self, _who: int) -> None:
        """Resolve committed changes; with `cursor`, only those after the last resolved one."""
        with self.engine.begin() as connection:
            if self.cursor:
                last = "(SELECT coalesce(max(id), 0) FROM edge_change WHERE resolved)"
                connection.exec_driver_sql(
                    f"UPDATE edge_change SET resolved = true WHERE id < {last}"
                )
            if resolve(connection).pages and self.purged is False:
                self.purged = True

    @staticmethod
    def _render_body(connection: Connection) -> str:
        return ",".join(str(row.version) for row in connection.execute(QUERY))

    @staticmethod
    def _last(connection: Connection) -> int:
        return connection.scalar(sa.text("SELECT coalesce(max(id), 0) FROM edge_change")) or 0


@pytest.fixture
def postgres_engine(empty_postgres_url: str) -> Iterator[Engine]:
    """A PostgreSQL database with two posts."""
    engine = connect(database_url(empty_postgres_url))
    build(engine)
    yield engine
    engine.dispose()


def stale(engine: Engine, order: Sequence[int], *, by_number: bool, cursor: bool) -> bool:
    """Return whether an order leaves a stale page, starting from an empty log."""
    with engine.begin() as connection:
        for table in ("edge_change", "edge_meta", "edge_page", "post"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.execute(sa.insert(post), [{"id": n, "version": 0} for n in (1, 2)])
        connection.exec_driver_sql("UPDATE edge_change SET resolved = true")
    return Overlap(engine, by_number=by_number, cursor=cursor).run(order)


@pytest.mark.live
@pytest.mark.slow
def test_no_order_of_overlapping_transactions_leaves_a_stale_page(postgres_engine: Engine) -> None:
    """The first transaction may commit last: its change has a lower number and appears later."""
    for order in orders():
        assert not stale(postgres_engine, order, by_number=False, cursor=False), order


@pytest.mark.live
@pytest.mark.parametrize("broken", ["by_number", "cursor"])
def test_numbers_of_the_log_are_no_order_of_commits(postgres_engine: Engine, broken: str) -> None:
    """A position or cursor by number loses late commits, and the search detects it."""
    rules = {"by_number": False, "cursor": False, broken: True}
    shuffled = list(orders())
    Random(2).shuffle(shuffled)
    assert any(stale(postgres_engine, order, **rules) for order in shuffled)
