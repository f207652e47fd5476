"""Rehearsing: a page is made once more, for nobody, past every cache; nothing is registered."""

from __future__ import annotations

from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client

from ..dependencies import recorder
from ..policy.guard import Leak

if TYPE_CHECKING:
    from flask import Flask

    from ..dependencies.recorder import RenderRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunResult:
    """What came of it: the answer, what its environ holds then, what it read, or why it leaked."""

    status: int
    body: bytes = b""
    environ: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    record: RenderRecord | None = field(default=None, compare=False, repr=False)
    leak: str = ""


def dry_run(app: Flask, path: str, site: str) -> DryRunResult:
    """Make a page, in an empty context: what whoever asks has loaded would not be read again."""
    return Context().run(_render, app, path, site)


def _render(app: Flask, path: str, site: str) -> DryRunResult:
    last_environ: dict[str, Any] = {}

    def past_every_cache(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal last_environ
        last_environ = environ
        return type(app).wsgi_app(app, environ, start_response)

    with recorder.dry_run() as records:
        try:
            answer = Client(past_every_cache, use_cookies=False).get(path, base_url=site)
        except Leak as leak:
            last = records[-1] if records else None
            return DryRunResult(status=500, environ=last_environ, record=last, leak=str(leak))
    last = records[-1] if records else None
    return DryRunResult(
        status=answer.status_code, body=answer.data, environ=last_environ, record=last
    )
