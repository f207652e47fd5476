"""Collect the SELECTs of a statement as the compiler emits them.

The ORM adds columns and criteria while it compiles, also to inner SELECTs: computed columns, the
condition of a subclass, loader criteria. A statement with several SELECTs is therefore compiled a
second time with a compiler that collects each SELECT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Exists, SelectBase, SelectState

from .query_check import UnshareableQueryError


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSelect:
    """One SELECT of a statement, as the compiler emitted it."""

    select: Any
    is_outermost: bool
    is_exists: bool = False
    """Whether the SELECT is the argument of EXISTS, so that its columns do not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStatement:
    """The SELECTs of a statement, and the compiler with its parameters and result columns."""

    compiled: SQLCompiler
    selects: tuple[CompiledSelect, ...]


def collect_selects(compiled: SQLCompiler, statement: SelectBase) -> CompiledStatement:
    """Return the SELECTs of a compiled statement.

    Raises:
        UnshareableQueryError: no SELECT was found, or the second compilation differs.
    """
    selects = [part for part in visitors.iterate(statement) if isinstance(part, sa.Select)]
    if selects == [statement] and isinstance(compiled.compile_state, SelectState):
        only = CompiledSelect(select=statement, is_outermost=True)
        return CompiledStatement(compiled=compiled, selects=(only,))
    recompiled = _collecting_compiler(type(compiled))(
        compiled.dialect, compiled.statement, column_keys=compiled.column_keys
    )
    if str(recompiled) != str(compiled):
        raise UnshareableQueryError(
            f"its second compilation gave other SQL: {str(recompiled)[:80]!r}"
        )
    compiled_selects = cast("_SelectCollector", recompiled).selects
    if not compiled_selects:
        raise UnshareableQueryError(f"a {type(statement).__name__} can't be analysed")
    return CompiledStatement(compiled=recompiled, selects=tuple(compiled_selects))


class _SelectCollector:
    """A mixin for the compiler of any dialect that collects the SELECTs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.selects: list[CompiledSelect] = []
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
        self.selects.append(
            CompiledSelect(
                select=select,
                is_outermost=len(self.stack) == 1,  # type: ignore[attr-defined]  # as above
                is_exists=any(
                    source_select is exists_select for exists_select in self._exists_selects
                ),
            )
        )
        return super()._compose_select_body(text, select, *rest)  # type: ignore[misc]  # as above


def _select_in(element: Any) -> Any:
    """Return the SELECT inside brackets; None if the element is no SELECT or has DISTINCT."""
    while isinstance(inner := getattr(element, "element", None), SelectBase):
        element = inner
    return element if isinstance(element, sa.Select) and not element._distinct else None  # noqa: SLF001 - SQLAlchemy has no public name for it


_collecting_compilers: dict[type, type[SQLCompiler]] = {}


def _collecting_compiler(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """Return a subclass of a dialect's compiler that collects the SELECTs."""
    if compiler not in _collecting_compilers:
        _collecting_compilers[compiler] = type(
            f"Observing{compiler.__name__}", (_SelectCollector, compiler), {}
        )
    return _collecting_compilers[compiler]
