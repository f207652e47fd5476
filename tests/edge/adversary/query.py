"""Functions that run a statement and return what a page would show of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

Query = Callable[[Session], Any]
"""Runs its statements and returns the values of a page."""

Queries = dict[str, dict[str, Query]]
"""The queries by their kind and their name."""


def show(entity: Any, names: tuple[str, ...]) -> Any:
    """Return attributes of an entity; `author.name` and `tags.name` follow a relationship."""
    return [_attribute(entity, name) for name in names]


def _attribute(entity: Any, name: str) -> Any:
    for part in name.split("."):
        if isinstance(entity, list):
            entity = [_attribute(item, part) for item in entity]
        else:
            entity = None if entity is None else getattr(entity, part)
    return entity


def one(statement: Any, *names: str) -> Query:
    """Return a query of one entity, or of None."""

    def run(session: Session) -> Any:
        entity = session.scalars(statement).unique().one_or_none()
        return None if entity is None else show(entity, names)

    return run


def rows(statement: Any, *names: str) -> Query:
    """Return a query of a list of entities."""

    def run(session: Session) -> Any:
        return [show(entity, names) for entity in session.scalars(statement).unique()]

    return run


def pairs(statement: Any) -> Query:
    """Return a query of rows of plain values."""

    def run(session: Session) -> Any:
        return [list(map(str, row)) for row in session.execute(statement)]

    return run
