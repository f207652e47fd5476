"""Collect the SELECTs of a statement as the compiler emits them.

The ORM adds columns and criteria while it compiles, also to inner SELECTs: computed columns, the
condition of a subclass, loader criteria. A statement with several SELECTs is therefore compiled a
second time with a compiler that collects each SELECT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import SelectBase, SelectState

from .query_check import UnshareableQueryError
from .sqlalchemy_private import SelectCollector


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSelect:
    """One SELECT of a statement, as the compiler emitted it."""

    select: Any
    froms: tuple[Any, ...]
    """Its FROM clause, without the tables that it correlates to a SELECT around it."""
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
        select: Any = statement
        froms = tuple(select.get_final_froms())
        only = CompiledSelect(select=select, froms=froms, is_outermost=True)
        return CompiledStatement(compiled=compiled, selects=(only,))
    recompiled: Any = _collecting_compiler(type(compiled))(
        compiled.dialect, compiled.statement, column_keys=compiled.column_keys
    )
    if str(recompiled) != str(compiled):
        raise UnshareableQueryError(
            f"its second compilation gave other SQL: {str(recompiled)[:80]!r}"
        )
    compiled_selects = tuple(
        CompiledSelect(select=select, froms=froms, is_outermost=is_outermost, is_exists=is_exists)
        for select, froms, is_outermost, is_exists in recompiled.collected_selects
    )
    if not compiled_selects:
        raise UnshareableQueryError(f"a {type(statement).__name__} can't be analysed")
    return CompiledStatement(compiled=recompiled, selects=compiled_selects)


_collecting_compilers: dict[type, type[SQLCompiler]] = {}


def _collecting_compiler(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """Return a subclass of a dialect's compiler that collects the SELECTs."""
    if compiler not in _collecting_compilers:
        _collecting_compilers[compiler] = type(
            f"Collecting{compiler.__name__}", (SelectCollector, compiler), {}
        )
    return _collecting_compilers[compiler]
