"""SQLAlchemy's private attributes: one function for each, and a self-test that runs at start.

No other module of this library uses a private name of SQLAlchemy. If a release of SQLAlchemy
lacks one of them, `find_missing_names` reports it, and no response is shared.
"""

# ruff: noqa: SLF001 - SQLAlchemy has no public names for these

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.pool import base as pool_base
from sqlalchemy.sql import compiler, elements
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Exists, SelectBase

from .sqlalchemy_version import untested_reason

_DIALECT_CLAUSES = (
    "_post_body_clause",
    "_post_criteria_clause",
    "_post_select_clause",
    "_pre_columns_clause",
)
"""The clauses that `Select.ext()` fills; SQLAlchemy 2.0 has neither this method nor the clauses."""

TEXT_CLAUSE: type[Any] = getattr(elements, "AbstractTextClause", sa.TextClause)
"""The class of raw SQL: `text()`, and from SQLAlchemy 2.1 on also `tstring()`."""

RENDERING_ATTRIBUTES = (
    "__visit_name__",
    "_compile_w_cache",
    "_compiler",
    "_compiler_dispatch",
    "_traverse_internals",
    "compile",
    "get_children",
    "get_final_froms",
    "self_group",
)
"""The attributes that decide how an element is rendered, and which parts are visited."""

FROMS_POSITION = -4
"""The position of the emitted FROM clause among the arguments of `_compose_select_body`."""

TYPE_RENDERING_ATTRIBUTES = ("get_col_spec", "__visit_name__", "_compiler_dispatch")
"""The attributes that decide how a type is rendered."""


def raw_columns(select: Any) -> Sequence[Any]:
    """Return the columns and tables that were passed to `select()`."""
    columns: Sequence[Any] = select._raw_columns
    return columns


def where_criteria(select: Any) -> Sequence[Any]:
    """Return the conditions of the WHERE clause, which are joined with AND."""
    criteria: Sequence[Any] = select._where_criteria
    return criteria


def order_by_clauses(select: Any) -> Sequence[Any]:
    """Return the sort keys."""
    clauses: Sequence[Any] = select._order_by_clauses
    return clauses


def limit_clause(select: Any) -> Any:
    """Return the limit, which is usually a parameter, or None."""
    return select._limit_clause


def has_distinct(select: Any) -> bool:
    """Return whether the SELECT has DISTINCT."""
    return bool(select._distinct)


def group_by_clauses(select: Any) -> Sequence[Any]:
    """Return the GROUP BY columns."""
    clauses: Sequence[Any] = select._group_by_clauses
    return clauses


def having_criteria(select: Any) -> Sequence[Any]:
    """Return the conditions of the HAVING clause."""
    criteria: Sequence[Any] = select._having_criteria
    return criteria


def has_dialect_clause(select: Any) -> bool:
    """Return whether a dialect has added a clause, for example DISTINCT ON."""
    return any(getattr(select, name, None) is not None for name in _DIALECT_CLAUSES)


def prefixes(part: Any) -> Iterator[str]:
    """Yield the SQL text before the columns of a SELECT or before a CTE; other parts have none."""
    yield from (str(text) for text, _ in getattr(part, "_prefixes", ()))


def suffixes(part: Any) -> Iterator[str]:
    """Yield the SQL text after a SELECT or a CTE; other parts have none."""
    yield from (str(text) for text, _ in getattr(part, "_suffixes", ()))


def statement_hints(part: Any) -> Iterator[str]:
    """Yield the hints of a statement; other parts have none."""
    yield from (str(text) for _, text in getattr(part, "_statement_hints", ()))


def table_hints(part: Any) -> Iterator[str]:
    """Yield the hints for single tables of a statement; other parts have none."""
    yield from map(str, (getattr(part, "_hints", None) or {}).values())


def values_rows(values: Any) -> Iterator[Any]:
    """Yield the rows of a VALUES list."""
    yield from (row for block in values._data for row in block)


def is_textual_label(part: Any) -> bool:
    """Return whether a part of a statement is a text that names a column or a label."""
    return isinstance(part, elements._textual_label_reference)


def is_compile_label(part: Any) -> bool:
    """Return whether a selected column is a label that the compiler has added."""
    return isinstance(part, compiler._CompileLabel)


def result_columns(compiled: Any) -> Sequence[Any]:
    """Return the descriptions of the columns of a result row."""
    columns: Sequence[Any] = compiled._result_columns
    return columns


def expanded_parameters(context: Any) -> Mapping[str, Sequence[str]]:
    """Return the parameter names of each IN list of an execution."""
    parameters: Mapping[str, Sequence[str]] = context._expanded_parameters or {}
    return parameters


def buffered_rows(strategy: FullyBufferedCursorFetchStrategy) -> list[Any]:
    """Return a copy of the rows that a fetch strategy has buffered."""
    return list(strategy._rowbuffer)


def pool_entry(proxy: Any) -> Any:
    """Return the pool's record of the connection that a proxy wraps."""
    return proxy._connection_record


def has_bind_expression(type_: Any) -> bool:
    """Return whether a type adds SQL around its parameters.

    A custom type has the method `bind_expression`, and usually inherits an empty one.
    """
    return bool(type_._has_bind_expression)


def has_column_expression(type_: Any) -> bool:
    """Return whether a type adds SQL around its selected columns."""
    return bool(type_._has_column_expression)


def compiles_dispatcher(kind: type) -> Any:
    """Return the dispatcher of `@compiles` functions that renders a class, or None."""
    owner = next((o for o in kind.__mro__ if "_compiler_dispatch" in o.__dict__), object)
    return owner.__dict__.get("_compiler_dispatcher")


class SelectCollector:
    """A mixin for the compiler of any dialect that collects the SELECTs it emits."""

    stack: list[Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        self.collected_selects: list[tuple[Any, tuple[Any, ...], bool, bool]] = []
        """Each SELECT, its FROM clause, whether it is the outermost one, whether it is EXISTS."""
        self._select_stack: list[Any] = []
        self._exists_selects: list[Any] = []
        super().__init__(*args, **options)

    def visit_unary(self, unary: Any, **options: Any) -> Any:
        """Remember the SELECT that is the argument of an EXISTS."""
        if isinstance(unary, Exists):
            self._exists_selects.append(_select_in(unary.element))
        return super().visit_unary(unary, **options)  # type: ignore[misc]  # the compiler's

    def visit_select(self, select_stmt: Any, *args: Any, **options: Any) -> Any:
        """Remember the application's SELECT while the compiler replaces it by its own."""
        self._select_stack.append(select_stmt)
        try:
            return super().visit_select(select_stmt, *args, **options)  # type: ignore[misc]  # as above
        finally:
            self._select_stack.pop()

    def _compose_select_body(self, text: str, select: Any, *rest: Any) -> Any:
        source_select = self._select_stack[-1]
        is_exists = any(source_select is exists_select for exists_select in self._exists_selects)
        froms = tuple(rest[FROMS_POSITION])
        self.collected_selects.append((select, froms, len(self.stack) == 1, is_exists))
        return super()._compose_select_body(text, select, *rest)  # type: ignore[misc]  # as above


def _select_in(element: Any) -> Any:
    """Return the SELECT inside brackets; None if the element is no SELECT or has DISTINCT."""
    while isinstance(inner := getattr(element, "element", None), SelectBase):
        element = inner
    return element if isinstance(element, sa.Select) and not has_distinct(element) else None


def find_missing_names() -> list[str]:
    """Return the private names that the installed SQLAlchemy lacks; empty if it has all."""
    select: sa.Select[Any] = sa.select(sa.column("x"))
    required: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (select, ("_raw_columns", "_where_criteria", "_order_by_clauses", "_limit_clause")),
        (select, ("_distinct", "_group_by_clauses", "_having_criteria")),
        (select, _DIALECT_CLAUSES if hasattr(select, "ext") else ()),
        (select, ("_prefixes", "_suffixes", "_statement_hints", "_hints", *RENDERING_ATTRIBUTES)),
        (select.cte(), ("_prefixes", "_suffixes")),
        (sa.values(sa.column("x")), ("_data",)),
        (sa.Integer(), ("_has_bind_expression", "_has_column_expression", "_compiler_dispatch")),
        (SQLCompiler, ("_compose_select_body", "visit_select", "visit_unary")),
        (DefaultExecutionContext, ("_expanded_parameters",)),
        (FullyBufferedCursorFetchStrategy, ("_rowbuffer",)),
        (elements, ("_textual_label_reference",)),
        (compiler, ("_CompileLabel",)),
        (getattr(pool_base, "_ConnectionFairy", None), ("_connection_record",)),
    )
    missing = [name for owner, names in required for name in _missing_of(owner, names)]
    missing = missing or _missing_of(select.compile(), ("_result_columns", "stack"))
    return missing or _missing_froms()


def _missing_froms() -> list[str]:
    """Return the argument with the FROM clause, if the compiler has another one at its position."""
    names = list(inspect.signature(SQLCompiler._compose_select_body).parameters)
    is_there = names[FROMS_POSITION] == "froms"
    return [] if is_there else ["SQLCompiler._compose_select_body(froms)"]


def _missing_of(owner: Any, names: Iterable[str]) -> list[str]:
    """Return the names that a class, module or object lacks, each with the name of its owner."""
    return [f"{_name_of(owner)}.{name}" for name in names if not hasattr(owner, name)]


def _name_of(owner: Any) -> str:
    """Return the name of a class or module, or of the class of an object."""
    return str(getattr(owner, "__name__", type(owner).__name__))


def unsupported_reason() -> str | None:
    """Return why no response may be shared with the installed SQLAlchemy; None if it may."""
    if reason := untested_reason(sa.__version__):
        return reason
    try:
        missing = find_missing_names()
    except Exception as error:  # noqa: BLE001 - the application must start
        return f"the self-test with SQLAlchemy {sa.__version__} failed ({type(error).__name__})"
    if not missing:
        return None
    return f"SQLAlchemy {sa.__version__} lacks {', '.join(missing)}, which the analysis needs"
