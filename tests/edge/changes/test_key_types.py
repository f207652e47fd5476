"""Keys of any type: triggers install, no page fails, and no page is stale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.config.parsers import database_url
from app.edge import Freshness, Policy, cached, changes, pages, purge
from app.edge.changes import WatchedTable, encoding_self_test, triggers
from app.edge.dependencies import PublicSchema
from app.edge.flask import Edge

PAGE = Policy(
    name="PAGE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=timedelta(days=1)),
)
KEYS: dict[str, tuple[Any, Any, Any]] = {
    "uuid": (sa.Uuid(), UUID(int=1), UUID(int=2)),
    "date": (sa.Date(), date(2026, 1, 1), date(2026, 1, 2)),
    "bytes": (sa.LargeBinary(), b"\x00\xff", b"b"),
    "numeric": (sa.Numeric(6, 2), Decimal("1.50"), Decimal("2.00")),
    "small numeric": (sa.Numeric(1, 1), Decimal("0.5"), Decimal("0.7")),
    "float": (sa.Float(), 1.5, 2.0),
    "time": (sa.Time(), time(1, 2), time(3, 4)),
    "timestamp": (sa.DateTime(), datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001 - without a zone
    "enum": (sa.Enum("a", "b", name="letter"), "a", "b"),
    "text of one letter": (sa.String(1), "a", "b"),
    "boolean": (sa.Boolean(), False, True),
    "small integer": (sa.SmallInteger(), 1, 2),
}
ON_POSTGRESQL: dict[str, tuple[Any, Any, Any]] = {
    "interval": (sa.Interval(), timedelta(hours=1), timedelta(hours=2)),
    "inet": (postgresql.INET(), "10.0.0.1", "10.0.0.2"),
    "array": (sa.ARRAY(sa.Integer), [1], [2]),
    "jsonb": (postgresql.JSONB(), {"a": 1}, "b"),
    "range": (postgresql.INT4RANGE(), postgresql.Range(1, 2), postgresql.Range(3, 4)),
    "instant": (
        sa.DateTime(timezone=True),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=UTC),
    ),
}
CASES = [
    *(pytest.param("sqlite", *KEYS[name], id=f"sqlite {name}") for name in KEYS),
    *(
        pytest.param("postgresql", *kind, id=f"postgresql {name}", marks=pytest.mark.live)
        for name, kind in (KEYS | ON_POSTGRESQL).items()
    ),
]
ALONE = [
    pytest.param(*case.values, False, id=f"{case.id} alone", marks=case.marks) for case in CASES
]
COMPOSITE = [
    pytest.param(*case.values, True, id=f"{case.id} composite", marks=case.marks) for case in CASES
]
"""A key of two columns; by default with every third type."""


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> str:
    """The URL of an empty database."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'keys.db'}"
    return database_url(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A plain engine for this database."""
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def small_app(engine: Engine, table: sa.Table, watched: WatchedTable, folder: Path) -> Flask:
    """Create an app with one page of all rows, and its tables without triggers."""
    for part in (changes, pages, purge):
        part.define_tables(table.metadata)
    table.metadata.create_all(engine)
    app = Flask("keys", instance_path=str(folder))
    app.testing = True
    app.config |= {"EDGE_RELAY": False, "EDGE_STORE": str(folder / "store")}
    edge = Edge()
    edge.init_app(app)
    edge.track(
        app,
        engine,
        (watched,),
        PublicSchema.from_watched_tables((watched,)),
        site="https://example.org",
    )

    @app.get("/")
    @cached(PAGE)
    def home() -> str:
        with Session(engine) as session:
            rows = session.execute(sa.select(table).order_by(table.c.title))
            return ",".join(row.title for row in rows)

    return app


def keyed_table(kind: Any, *, composite: bool = False) -> sa.Table:
    """Return a table with a key of this type."""
    columns = [sa.Column("id", kind, primary_key=True, autoincrement=False)]
    if composite:
        columns.append(sa.Column("part", sa.String(5), primary_key=True))
    return sa.Table("thing", sa.MetaData(), *columns, sa.Column("title", sa.Text))


@pytest.mark.parametrize(("database", "kind", "first", "second", "composite"), [*ALONE, *COMPOSITE])
def test_a_page_of_rows_with_such_a_key_is_shared_and_purged(
    engine: Engine, tmp_path: Path, kind: Any, first: Any, second: Any, composite: bool
) -> None:
    """Installing succeeds, the page is shared, and each kind of write purges it."""
    thing = keyed_table(kind, composite=composite)
    app = small_app(engine, thing, WatchedTable(table="thing"), tmp_path)
    for command in (("triggers", "install"), ("release",)):
        result = app.test_cli_runner().invoke(args=["edge", *command])
        assert result.exit_code == 0, result.output
    part = {"part": "x"} if composite else {}
    client = app.test_client()
    for write, text in (
        (sa.insert(thing).values(id=first, title="a", **part), "a"),
        (sa.insert(thing).values(id=second, title="b", **part), "a,b"),
        (sa.update(thing).where(thing.c.title == "b").values(title="c"), "a,c"),
        (sa.delete(thing).where(thing.c.title == "a"), "c"),
    ):
        with engine.begin() as connection:
            connection.execute(write)
        response = client.get("/")
        assert (response.status_code, response.text) == (200, text)
        assert "hit" not in response.headers["Cache-Status"]
        assert "; hit" in client.get("/").headers["Cache-Status"]


DISTINCT_KINDS: dict[str, tuple[Any, Any, Any]] = {
    **{name: KEYS[name] for name in ("date", "enum", "small integer", "text of one letter")},
    "uuid": (sa.Uuid(), uuid4(), uuid4()),
    "uuid as text": (sa.Uuid(as_uuid=False), str(uuid4()), str(uuid4())),
}


@pytest.mark.parametrize(
    ("database", "name"),
    [
        pytest.param(database, name, marks=[pytest.mark.live] if database == "postgresql" else [])
        for database in ("sqlite", "postgresql")
        for name in DISTINCT_KINDS
    ],
)
@pytest.mark.parametrize("as_key", [True, False], ids=["key", "column"])
def test_a_change_purges_only_the_page_of_its_value(
    engine: Engine, tmp_path: Path, name: str, as_key: bool
) -> None:
    """Pages that look rows up by a UUID, a day or a label are purged separately, also without a row."""
    kind, first, second = DISTINCT_KINDS[name]
    columns = [sa.Column("value", kind, primary_key=as_key, autoincrement=False)]
    if not as_key:
        columns.append(sa.Column("id", sa.Integer, primary_key=True))
    thing = sa.Table("thing", sa.MetaData(), *columns, sa.Column("title", sa.Text))
    watched = WatchedTable(table="thing", compared_columns=() if as_key else ("value",))
    app = small_app(engine, thing, watched, tmp_path)

    @app.get("/<int:number>")
    @cached(PAGE)
    def show(number: int) -> str:
        with Session(engine) as session:
            query = sa.select(thing).where(thing.c.value == (first, second)[number])
            return ",".join(row.title for row in session.execute(query)) or "none"

    for command in (("triggers", "install"), ("release",)):
        assert app.test_cli_runner().invoke(args=["edge", *command]).exit_code == 0
    client = app.test_client()

    def read(number: int) -> tuple[str, bool]:
        response = client.get(f"/{number}")
        return response.text, "; hit" in response.headers["Cache-Status"]

    assert [read(0), read(1)] == [("none", False), ("none", False)]
    for write, expected in (
        (sa.insert(thing).values(value=first, title="a"), [("a", False), ("none", True)]),
        (sa.insert(thing).values(value=second, title="b"), [("a", True), ("b", False)]),
        (
            sa.update(thing).where(thing.c.value == second).values(title="c"),
            [("a", True), ("c", False)],
        ),
        (sa.delete(thing).where(thing.c.value == first), [("none", False), ("c", True)]),
    ):
        with engine.begin() as connection:
            connection.execute(write)
        assert [read(0), read(1)] == expected


@pytest.mark.live
@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize("stored", [sa.DateTime(), sa.DateTime(timezone=True)], ids=str)
def test_a_model_with_a_date_for_a_timestamp_is_never_stale(
    engine: Engine, tmp_path: Path, stored: sa.DateTime
) -> None:
    """PostgreSQL compares the timestamp with the day's midnight, so its encoding says nothing."""
    app = small_app(engine, keyed_table(stored), WatchedTable(table="thing"), tmp_path)
    day = date(2026, 1, 2)
    declared = sa.table("thing", sa.column("id", sa.Date()), sa.column("title", sa.Text()))
    model = keyed_table(sa.Date())

    @app.get("/day")
    @cached(PAGE)
    def show() -> str:
        with Session(engine) as session:
            query = sa.select(model.c.title).where(model.c.id == day)
            return ",".join(session.scalars(query)) or "none"

    for command in (("triggers", "install"), ("release",)):
        assert app.test_cli_runner().invoke(args=["edge", *command]).exit_code == 0
    client = app.test_client()
    assert client.get("/day").text == "none"
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
        connection.execute(sa.insert(declared).values(id=day, title="a"))
    assert "a" in {client.get("/day").text for _ in range(2)}


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def test_a_self_test_that_fails_reaches_no_reader(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is served without being shared, and `edge triggers check` prints the error."""
    app = small_app(engine, keyed_table(sa.Integer()), WatchedTable(table="thing"), tmp_path)
    for command in (("triggers", "install"), ("release",)):
        assert app.test_cli_runner().invoke(args=["edge", *command]).exit_code == 0

    def fail(*_arguments: object) -> None:
        raise TypeError("no such type")

    monkeypatch.setattr(encoding_self_test, "_samples", fail)
    monkeypatch.setattr(triggers, "_tested_digests", set())
    response = app.test_client().get("/")
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    result = app.test_cli_runner().invoke(args=["edge", "triggers", "check"])
    assert (result.exit_code, "no such type" in result.output) == (1, True)
