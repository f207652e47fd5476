"""What a page must be now: made by an app that has neither gateway nor index.

A page is a function of what its statements return (no view reads a clock, and a release forgets
everything here). So a page is made anew only when one of the statements that it was made from, sent
again, gives other rows; `made` asks nothing of that kind.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class Fresh:
    """Renders of one app, as the database is in a `moment`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._sent: list[Statement] = []
        self._rows: dict[str, Any] = {}
        self._known: dict[str, tuple[Answer, list[tuple[Statement, Any]]]] = {}
        self._cursor: Any = None
        with app.app_context():
            self.engine = db.engine
        sa.event.listen(self.engine, "before_cursor_execute", self._note)

    def _note(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> None:
        self._sent.append((statement, parameters))

    def forget(self) -> None:
        """Know nothing any more: another database, or other templates."""
        self._known.clear()

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Nobody writes inside."""
        self._rows.clear()
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            self._cursor = raw.cursor()
            yield
            self._cursor.close()

    def page(self, path: str) -> Answer:
        """The page at an address, as it must be now."""
        known = self._known.get(path)
        if known is not None and all(self._ask(sent) == rows for sent, rows in known[1]):
            return known[0]
        answer = self.made(path)
        self._known[path] = answer, [(sent, self._ask(sent)) for sent in self._sent]
        return answer

    def made(self, path: str) -> Answer:
        """The same, made in full whatever is known."""
        self._sent.clear()
        with self._app.test_request_context(path):
            response = self._app.full_dispatch_request()
            return Answer(
                status=response.status_code,
                kind=response.content_type or "",
                location=response.headers.get("Location", ""),
                body=response.get_data(),
            )

    def _ask(self, sent: Statement) -> Any:
        key = repr(sent)
        if key not in self._rows:
            self._rows[key] = self._cursor.execute(*sent).fetchall()
        return self._rows[key]
