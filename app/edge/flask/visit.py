"""Visit a page as a stranger, to see what a shared policy would find. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import has_request_context
from flask.globals import request_ctx
from flask.signals import got_request_exception

from ..dependencies.read_places import ReadPlaces, locate_error
from .dry_run import DryRunResult, dry_run
from .trial import WRITE, Trial, trial_of

if TYPE_CHECKING:
    from logging import LogRecord

    from flask import Flask

    from ..dependencies.recorder import RenderRecord
    from ..policy.guard import GuardFinding
    from .example_urls import ExampleUrl


_MAX_MESSAGE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerVisit:
    """The response to one visit: its status, and what would prevent it from being shared.

    Attributes:
        status: the status; 0 if the view raised an exception.
        error: the exception with its place, such as `KeyError at app/views.py:12: 'x'`.
        location: the target of a redirect.
        own_directives: the Cache-Control header of a view that forbids sharing by it.
        write_place: the line of a write that was refused; None if it wrote nothing.
        findings: the guard's findings.
        record: the recorded reads; None if nothing was recorded.
    """

    status: int
    error: str = ""
    location: str = ""
    own_directives: str = ""
    write_place: str | None = None
    findings: tuple[GuardFinding, ...] = ()
    record: RenderRecord | None = field(default=None, compare=False, repr=False)


def visit_page(app: Flask, url: ExampleUrl) -> StrangerVisit:
    """Render a page in a dry run, without cookies. Statements that write are refused."""
    trial = Trial(writes=ReadPlaces(app.root_path))
    errors: list[BaseException] = []

    def record_error(_sender: Flask, *, exception: BaseException, **_: Any) -> None:
        errors.append(exception)

    result: DryRunResult | None = None
    with got_request_exception.connected_to(record_error, app), _without_tracebacks(app):
        try:
            result = dry_run(app, url.path, url.site, trial)
        except Exception as error:  # noqa: BLE001 - in debug mode, Flask raises what a view raises
            errors.append(error)
    status = 0 if result is None else result.status
    return StrangerVisit(
        status=status,
        error=_describe_error(errors[0], app) if errors else "",
        location="" if result is None else result.location,
        own_directives=_directives_of(trial),
        write_place=trial.writes.get(WRITE) if WRITE in trial.writes else None,
        findings=trial.findings,
        record=None if result is None else result.record,
    )


@contextmanager
def _without_tracebacks(app: Flask) -> Iterator[None]:
    """Drop the app's log lines of a visit, whose exceptions are reported."""

    def is_ordinary(_record: LogRecord) -> bool:
        return not (has_request_context() and trial_of(request_ctx.request.environ))

    app.logger.addFilter(is_ordinary)
    try:
        yield
    finally:
        app.logger.removeFilter(is_ordinary)


def _directives_of(trial: Trial) -> str:
    """Return the view's own Cache-Control header if it forbids sharing."""
    facts = trial.facts
    return trial.own_directives if facts is not None and not facts.policy.is_shareable else ""


def _describe_error(error: BaseException, app: Flask) -> str:
    place = locate_error(error, app.root_path)
    message = str(error).partition("\n")[0][:_MAX_MESSAGE]
    name = f"{type(error).__name__}{f' at {place}' if place else ''}"
    return f"{name}: {message}" if message else name
