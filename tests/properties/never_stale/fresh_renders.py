"""What a page must be now: made by an app that has neither gateway nor index.

A page is a function of what its statements return (no view that is asked for reads a clock, and a
release forgets everything here). So a page is made anew only when one of the statements that it was
made from, sent again, gives other rows; `made` asks nothing of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reader is sent."""

    status: int
    kind: str
    location: str
    body: bytes


Statement = tuple[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A page, the statements that it was made from, and what they returned."""

    answer: Answer
    statements: tuple[Statement, ...]
    rows: tuple[Any, ...]


class Fresh:
    """Renders of one app, as the database is in a `moment`."""

    def __init__(self, app: Flask, *others: Flask) -> None:
        self._app = app
        self._statements: list[Statement] = []
        self._rows: dict[str, Any] = {}
        self._renders: dict[str, Known] = {}
        self._cursor: Any = None
        for one in (app, *others):
            with one.app_context():
                sa.event.listen(db.engine, "before_cursor_execute", self._note)
        with app.app_context():
            self._engine = db.engine

    def _note(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, context: Any, *_: Any
    ) -> None:
        if not context.execution_options.get("edge_internal"):
            self._statements.append((statement, parameters))

    def forget(self) -> None:
        """Know nothing any more: another database, or other templates."""
        self._renders.clear()

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Nobody writes inside."""
        self._rows.clear()
        with self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            self._cursor = raw.cursor()
            yield
            self._cursor.close()

    def page(self, path: str) -> Answer:
        """The page at an address, as it must be now."""
        render = self._renders.get(path)
        if render is not None and all(map(self._gives, render.statements, render.rows)):
            return render.answer
        answer = self._noting(lambda: self.render(path))
        self._keep(path, answer)
        return answer

    def learn(self, path: str, make: Callable[[], Answer]) -> Answer:
        """Remember a page if it is made just now: one that was kept sends no statement."""
        answer = self._noting(make)
        if self._statements:
            self._keep(path, answer)
        return answer

    def _noting(self, make: Callable[[], Answer]) -> Answer:
        self._statements.clear()
        return make()

    def _keep(self, path: str, answer: Answer) -> None:
        statements = tuple(self._statements)
        rows = tuple(map(self._ask, statements))
        self._renders[path] = Known(answer=answer, statements=statements, rows=rows)

    def render(self, path: str) -> Answer:
        """A page, made in full whatever is known."""
        with self._app.test_request_context(path):
            response = self._app.full_dispatch_request()
            return Answer(
                status=response.status_code,
                kind=response.content_type or "",
                location=response.headers.get("Location", ""),
                body=response.get_data(),
            )

    def _gives(self, statement: Statement, rows: Any) -> bool:
        return bool(self._ask(statement) == rows)

    def _ask(self, statement: Statement) -> Any:
        key = repr(statement)
        if key not in self._rows:
            self._rows[key] = self._cursor.execute(*statement).fetchall()
        return self._rows[key]
