"""Which parameters of an execution are searched for values of the clock, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from time import tzset
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from app.edge.dependencies import clock_values, fence, parameters
from app.edge.dependencies.clock_values import ClockUse, Grain, Window, find_clock_use
from app.edge.dependencies.compiled_selects import collect_selects
from app.edge.dependencies.parameters import record_clock_use
from app.edge.dependencies.provenance import Provenance, epoch
from app.edge.dependencies.query_check import clock_function
from app.edge.dependencies.recorder import RenderRecord
from app.edge.dependencies.sql_constructs import custom_rendering, foreign_part

SQLITE = sa.create_engine("sqlite://").dialect
LOCAL = timedelta(hours=5, minutes=30)


class Yesterday(sa.types.TypeDecorator[Any]):
    """A custom type that replaces the application's value by a day of the clock."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """Return the day before."""
        del value, dialect
        return (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def context_of(statement: Any, *rows: dict[str, Any]) -> Any:
    """Return an execution context with a compiled statement, as SQLAlchemy gives it."""
    compiled = None if statement is None else statement.compile(dialect=SQLITE)
    return SimpleNamespace(compiled=compiled, compiled_parameters=list(rows))


def grain_of(
    driver_parameters: Any, context: Any, record: RenderRecord | None = None
) -> Grain | None:
    """Return the precision of the clock use that is recorded."""
    record = record or RenderRecord()
    record_clock_use(record, "SELECT 1", driver_parameters, context)
    return None if record.clock is None else record.clock.grain


CUSTOM = sa.select(sa.bindparam("day", type_=Yesterday()))
PLAIN = sa.select(sa.bindparam("day", type_=sa.String()))


@pytest.mark.parametrize("makes_list", [True, False])
@pytest.mark.parametrize("makes_dict", [True, False])
def test_a_value_that_a_custom_type_computes_is_recognised(
    *, makes_list: bool, makes_dict: bool
) -> None:
    """Drivers get a tuple or a dict, and a list of them for several rows."""
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    row: Any = {"day": day} if makes_dict else (day,)
    grain = grain_of([row] if makes_list else row, context_of(CUSTOM, {"day": "x"}))
    assert grain is Grain.DAY


def test_parameters_of_the_driver_are_not_searched_without_a_custom_type() -> None:
    """They are the application's own values, which were searched before."""
    day = datetime.now(UTC).date().isoformat()
    assert grain_of((day,), context_of(PLAIN, {"day": "x"})) is None
    assert grain_of((day,), context_of(PLAIN, {"day": day})) is Grain.DAY


def test_a_value_of_the_application_is_no_value_of_the_type() -> None:
    """The type has passed it on, and it was searched before."""
    text = "an ordinary text that is not of the clock"
    assert grain_of((text,), context_of(CUSTOM, {"day": text})) is None


def test_parameters_of_a_driver_statement_are_searched() -> None:
    """`exec_driver_sql` compiles nothing, so its parameters are only those of the driver."""
    records = [RenderRecord(), RenderRecord()]
    now = datetime.now(UTC)
    assert grain_of((now,), context_of(None), records[0]) is Grain.INSTANT
    parameters._constants.clear()  # the same object in two responses would be a constant
    assert grain_of({"at": now}, context_of(None), records[1]) is Grain.INSTANT
    assert grain_of((), context_of(None)) is None
    assert grain_of(("x", 7, None), context_of(None)) is None


def test_a_use_of_the_finest_precision_ends_the_search() -> None:
    """No later statement can be finer."""
    record = RenderRecord()
    first = ClockUse(what="the first", grain=Grain.INSTANT)
    record.use_clock(first)
    record_clock_use(record, "SELECT 1", (datetime.now(UTC),), context_of(None))
    assert record.clock is first


def test_the_number_of_constants_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that was used is kept, so that no other object gets its identity."""
    monkeypatch.setattr(parameters, "_MAX_CONSTANTS", 2)
    parameters._constants.clear()
    values: list[Any] = [date(2026, 1, 1), time(3, 4, 5), 1.5]
    parameters._keep_as_constants([("a", value) for value in values[:2]])
    assert list(parameters._constants.values()) == values[:2]
    parameters._keep_as_constants([("a", values[2]), ("b", "a text"), ("c", 7)])
    assert list(parameters._constants.values()) == values[2:]
    parameters._constants.clear()


@pytest.fixture
def indian_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the server's clock be five and a half hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "IST-5:30")
        tzset()
        patch.setattr(clock_values, "timezone", -int(LOCAL.total_seconds()))
        yield
    tzset()


START = datetime(2026, 11, 29, 7, 3, 4, tzinfo=UTC)
WINDOW = Window.of(START, START + timedelta(milliseconds=20))


def grain_of_value(value: Any) -> Grain | None:
    """Return the precision with which a value is one of the clock at START."""
    use = find_clock_use([("p", value)], WINDOW, Provenance(results=[], url="", constants=()))
    return None if use is None else use.grain


@pytest.mark.usefixtures("indian_clock")
def test_a_value_without_a_zone_may_be_of_the_servers_zone() -> None:
    """Or of UTC; a year that no clock can show is neither."""
    naive = START.replace(tzinfo=None)
    assert grain_of_value(naive) is Grain.INSTANT
    assert grain_of_value(naive + LOCAL) is Grain.INSTANT
    assert grain_of_value(naive.replace(year=9999, month=12, day=31)) is None
    assert grain_of_value(naive.replace(year=1, month=1, day=1, hour=0)) is None


@pytest.mark.usefixtures("indian_clock")
@pytest.mark.parametrize(
    ("value", "grain"),
    [
        (time(7, 3, 4), Grain.INSTANT),
        (time(12, 33, 4), Grain.INSTANT),
        (time(7, 3, 5), None),
        (time(9, 3, 4), None),
        (time(7, 0), None),
        (time(0, 0), None),
    ],
)
def test_a_time_of_day_is_compared_in_utc_and_in_the_servers_zone(
    value: time, grain: Grain | None
) -> None:
    """To the second; a full minute is often one of a timetable."""
    assert grain_of_value(value) is grain


def test_an_instant_of_a_row_has_a_zone_or_two_meanings() -> None:
    """A number is one of seconds since 1970 if it is of this century, and a truth is none."""
    at = START + timedelta(microseconds=5)
    text = "2026-11-29 07:03:04.000005"
    instants: list[Any] = [at, at.replace(tzinfo=None), text, f"{text}+00:00"]
    for cell in instants:
        provenance = Provenance(results=[[(cell,)]], url="", constants=())
        assert provenance.explains(epoch(at), 2), cell
    others: list[Any] = [True, 5, 10**12, "not an instant", None]
    for cell in others:
        provenance = Provenance(results=[[(cell,)]], url="", constants=())
        assert not provenance.explains(epoch(at), 2), cell
    second = Provenance(results=[[(START.timestamp(),)]], url="", constants=())
    assert second.explains(epoch(START), 2)
    assert not second.explains(epoch(at), 2)


class Sku(sa.types.UserDefinedType[Any]):
    """A type whose SQL name the application defines."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the name in SQL."""
        return "SKU"


class Wrapped(sa.types.TypeDecorator[Any]):
    """A type around another one."""

    impl = Sku
    cache_ok = True


@pytest.mark.parametrize("kind", [Sku(), Wrapped()])
def test_a_cast_to_a_type_of_the_application_is_custom_sql(kind: Any) -> None:
    """Its name is written into the statement; a type of SQLAlchemy is not."""
    assert "SKU" in str(sa.cast("1", kind).compile(dialect=SQLITE))
    assert custom_rendering(sa.cast("1", kind), SQLITE) != ""
    assert custom_rendering(sa.cast("1", sa.Integer), SQLITE) == ""


def test_sql_in_a_values_list_is_custom_sql() -> None:
    """SQLAlchemy's traversal does not visit it; parameters and plain values are allowed."""
    column = sa.column("a", sa.Integer)
    plain = sa.values(column, name="v").data([(1,), (2,)])
    sql = sa.values(column, name="v").data([(1,), (sa.literal_column("secret"),)])
    assert custom_rendering(plain, SQLITE) == ""
    assert custom_rendering(sql, SQLITE) == "a VALUES list contains SQL"


def test_a_function_of_the_clock_is_named_in_any_case() -> None:
    """A statement without one has an empty name."""
    assert clock_function(sa.select(sa.func.Now())) == "now"
    assert clock_function(sa.select(sa.func.CURRENT_TIMESTAMP())).lower() == "current_timestamp"
    assert clock_function(sa.select(sa.func.lower("a"))) == ""


def test_a_type_without_an_expression_reads_nothing() -> None:
    """A subquery in an expression is named."""
    column: sa.ColumnClause[Any] = sa.column("a")
    assert foreign_part(None, column) == ""
    assert foreign_part(sa.func.lower(column), column) == ""
    sql = sa.select(sa.column("b")).scalar_subquery()
    assert foreign_part(column + sql, column) != ""


def test_a_statement_of_one_select_is_not_compiled_again() -> None:
    """One with a subquery is, and the SQL must be equal."""
    table = sa.table("post", sa.column("id"))
    plain = sa.select(table.c.id)
    compiled: Any = plain.compile(dialect=SQLITE)
    assert collect_selects(compiled, plain).compiled is compiled
    outer = sa.select(table.c.id).where(table.c.id.in_(sa.select(table.c.id)))
    compiled = outer.compile(dialect=SQLITE)
    result = collect_selects(compiled, outer)
    assert result.compiled is not compiled
    assert [each.is_outermost for each in result.selects].count(True) == 1


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    """The log line names the file and the line of any other."""
    assert fence._place(ValueError("x")) == "an unknown place"
    with pytest.raises(ZeroDivisionError) as error:
        1 / 0  # noqa: B018 - the failure is the point
    assert fence._place(error.value).startswith("test_parameters.py:")
