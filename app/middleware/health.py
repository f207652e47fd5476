"""Liveness and readiness probes: /healthz (the process runs) and /readyz (it can serve).

They are answered before the app: with any Host, uncached and without a redirect.
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

from app import extensions
from app.edge.changes.outage import is_logged, outage_log
from app.extensions import alembic, db

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessProblem:
    """Why the app can't serve: `reason` is public, `detail` is for the operator."""

    reason: str
    detail: str
    is_logged: bool = False


def find_readiness_problem() -> ReadinessProblem | None:
    """Return the first problem of the database, its migrations or the edge, or None."""
    try:
        with db.engine.connect() as connection:
            trouble = alembic.trouble(connection)
    except SQLAlchemyError as error:
        detail = getattr(error, "message", None) or f"The database does not work: {error}"
        return ReadinessProblem(
            reason="The database can't be reached.", detail=detail, is_logged=is_logged(error)
        )
    trouble = trouble or extensions.edge.trouble(current_app)
    return ReadinessProblem(reason=trouble, detail=trouble) if trouble else None


def _degraded(app: Flask) -> str:
    """What is wrong though the app can serve, in sentences; empty when nothing is."""
    problems = (app.config["SITE_URL_PROBLEM"], extensions.edge.degraded(app))
    return " ".join(problem for problem in problems if problem)


class HealthEndpoints:
    """Answers the two paths and passes all other requests on."""

    def __init__(self, wsgi: Callable[..., Any], app: Flask) -> None:
        self.wsgi = wsgi
        self.app = app
        self._logged_detail: str | None = None
        self.answers = {"/healthz": self.live, "/readyz": self.ready}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer one request."""
        answer = self.answers.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return self.wsgi(environ, start_response)
        extensions.edge.rouse(self.app)  # probes may be the only requests
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            status, payload = HTTPStatus.METHOD_NOT_ALLOWED, {"status": "ask with GET or HEAD"}
        else:
            status, payload = answer()
        return _respond(status, payload, environ, start_response)

    def live(self) -> tuple[HTTPStatus, dict[str, str]]:
        """Answer 200 as long as the process runs; check nothing else."""
        return HTTPStatus.OK, {"status": "ok"}

    def ready(self) -> tuple[HTTPStatus, dict[str, str]]:
        """Answer 200 if the database is reachable and has the schema that this code needs."""
        with self.app.app_context():
            outage_log(db.engine)
            problem = find_readiness_problem()
            degraded = None if problem else _degraded(current_app)
        if problem is None:
            self._logged_detail = None
        if degraded:
            return HTTPStatus.OK, {"status": "degraded", "reason": degraded}
        if problem is None:
            return HTTPStatus.OK, {"status": "ok"}
        self._log(problem)
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unready", "reason": problem.reason}

    def _log(self, problem: ReadinessProblem) -> None:
        """Log a problem once, until it changes; an outage of the database is logged elsewhere."""
        if problem.is_logged or problem.detail == self._logged_detail:
            return
        self._logged_detail = problem.detail
        message = "health.not_ready: /readyz answers 503: %s"
        log.warning(message, problem.detail, extra={"detail": problem.detail})


def _respond(
    status: HTTPStatus,
    payload: dict[str, str],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
) -> Iterable[bytes]:
    body = json.dumps(payload).encode() + b"\n"
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
