"""Dry run: render a page without caches, without registering it in the page index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client

from ..dependencies import recorder
from ..policy.guard import Leak
from .trial import TRIAL_KEY

if TYPE_CHECKING:
    from flask import Flask

    from ..dependencies.recorder import RenderRecord
    from .trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunResult:
    """The response, the final WSGI environ, the recorded dependencies, and a leak."""

    status: int
    body: bytes = b""
    location: str = ""
    environ: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    record: RenderRecord | None = field(default=None, compare=False, repr=False)
    leak: str = ""


def dry_run(app: Flask, path: str, site: str, trial: Trial | None = None) -> DryRunResult:
    """Render the page in a fresh contextvars context.

    Objects that the caller's session has loaded are queried again there. A `trial` gets the
    findings that the page would have with a shared policy.
    """
    return Context().run(_render, app, path, site, trial)


def _render(app: Flask, path: str, site: str, trial: Trial | None) -> DryRunResult:
    last_environ: dict[str, Any] = {}

    def call_without_caches(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal last_environ
        last_environ = environ
        return type(app).wsgi_app(app, environ, start_response)

    with recorder.dry_run() as records, _without_writes(trial):
        try:
            answer = Client(call_without_caches, use_cookies=False).get(
                path,
                base_url=site,
                environ_overrides={} if trial is None else {TRIAL_KEY: trial},
            )
        except Leak as leak:
            last = records[-1] if records else None
            return DryRunResult(status=500, environ=last_environ, record=last, leak=str(leak))
    last = records[-1] if records else None
    return DryRunResult(
        status=answer.status_code,
        body=answer.data,
        location=answer.headers.get("Location", ""),
        environ=last_environ,
        record=last,
    )


@contextmanager
def _without_writes(trial: Trial | None) -> Iterator[None]:
    """In a trial, refuse statements of SQLAlchemy that write, if the app uses it."""
    with ExitStack() as stack:
        if trial is not None and "sqlalchemy" in sys.modules:
            from ..dependencies.read_only import refuse_writes  # noqa: PLC0415 - needs SQLAlchemy

            stack.enter_context(refuse_writes(trial.writes))
        yield
