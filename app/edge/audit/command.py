"""The command: audit or watch a site, print the findings and return the exit status."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import FrameType

from .audit import AuditOptions, check_site
from .report import AuditReport
from .site_address import AuditError
from .watch import watch_site

EXIT_ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Output format; when watching, also the interval and the duration in seconds."""

    as_json: bool = False
    watching: bool = False
    interval: float = 5.0
    duration: float | None = None


def run(
    base_url: str,
    options: AuditOptions,
    output: OutputOptions,
    *,
    out: Callable[[str], object],
    err: Callable[[str], object],
) -> int:
    """Run the command; return 0 without findings, 1 for an error or warning, 2 if it can't run."""
    try:
        report = _report(base_url, options, output, out, err)
    except AuditError as error:
        err(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        err("The audit was interrupted before its end.")
        return EXIT_ERROR
    if output.as_json:
        out(json.dumps(report.to_json(), indent=2))
    elif output.watching:
        out(report.summary())
    else:
        out("\n".join(report.to_lines()))
    return report.status


def _report(
    base_url: str,
    options: AuditOptions,
    output: OutputOptions,
    out: Callable[[str], object],
    err: Callable[[str], object],
) -> AuditReport:
    if not output.watching:
        return check_site(base_url, options)
    write_line = err if output.as_json else out
    with _until_interrupted() as stop:
        return watch_site(
            base_url,
            options,
            write_line=write_line,
            interval=output.interval,
            duration=output.duration,
            stop=stop,
        )


@contextmanager
def _until_interrupted() -> Iterator[Event]:
    """Return an event that Ctrl-C sets."""
    stop = Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    previous_handler = signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous_handler)
