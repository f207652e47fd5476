"""The command: audits or watches a site, prints what was found, and returns the exit status."""

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
    """How to tell: as JSON, or while watching every so many seconds, for so long."""

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
    """Do it; return 0 for nothing found, 1 for an error or a warning, 2 when it could not run."""
    try:
        report = _report(base_url, options, output, out, err)
    except AuditError as error:
        err(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        err("Interrupted before it was done.")
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
    """An event that Ctrl-C sets."""
    stop = Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    previous_handler = signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous_handler)
