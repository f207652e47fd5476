"""Two answers for whoever watches the process: /healthz (it lives) and /readyz (it can serve).

They are given in front of the app: no Host is refused, nothing is cached, nothing redirects.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from . import extensions
from .extensions import alembic, db

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unready:
    """Why the app can't serve: `reason` for everybody, `detail` for the operator alone."""

    reason: str
    detail: str


def unready() -> Unready | None:
    """What is wrong with the database or its migrations; None when all is well."""
    try:
        with db.engine.connect() as connection:
            trouble = alembic.trouble(connection)
    except SQLAlchemyError as error:
        detail = getattr(error, "message", None) or f"The database does not work: {error}"
        return Unready(reason="The database can't be reached.", detail=detail)
    trouble = trouble or extensions.edge.trouble(current_app)
    return Unready(reason=trouble, detail=trouble) if trouble else None


def _degraded(app: Flask) -> str:
    """What is wrong though the app can serve, in sentences; empty when nothing is."""
    problems = (app.config["SITE_URL_PROBLEM"], extensions.edge.degraded(app))
    return " ".join(problem for problem in problems if problem)


class Health:
    """Answers the two paths, and passes everything else on."""

    def __init__(self, wsgi: Callable[..., Any], app: Flask) -> None:
        self.wsgi = wsgi
        self.app = app
        self.answers = {"/healthz": self.live, "/readyz": self.ready}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer one request."""
        answer = self.answers.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return self.wsgi(environ, start_response)
        extensions.edge.rouse(self.app)  # a probe may be all that ever comes here
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            status, said = HTTPStatus.METHOD_NOT_ALLOWED, {"status": "ask with GET or HEAD"}
        else:
            status, said = answer()
        return _respond(status, said, environ, start_response)

    def live(self) -> tuple[HTTPStatus, dict[str, str]]:
        """The process answers: nothing else is asked of it."""
        return HTTPStatus.OK, {"status": "ok"}

    def ready(self) -> tuple[HTTPStatus, dict[str, str]]:
        """The database answers, and its schema is the one that this code needs."""
        with self.app.app_context():
            found = unready()
            degraded = None if found else _degraded(current_app)
        if degraded:
            return HTTPStatus.OK, {"status": "degraded", "reason": degraded}
        if found is None:
            return HTTPStatus.OK, {"status": "ok"}
        log.warning("not ready", extra={"detail": found.detail})
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unready", "reason": found.reason}


def _respond(
    status: HTTPStatus,
    said: dict[str, str],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
) -> Iterable[bytes]:
    body = json.dumps(said).encode() + b"\n"
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
