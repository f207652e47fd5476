"""Faults of an app's edge, as reported by health probes, `edge status` and the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..pages.register import current_build
from ..purge.heartbeat import relay_silence
from ..purge.status import dead_relay_text
from .sampling import stale_page
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from .tracking import Tracker


def degraded(app: Flask) -> str | None:
    """Return a sentence on the first fault that readers may notice, or None."""
    tracker: Tracker | None = state_of(app).tracker
    if tracker is None:
        return None
    with tracker.read_transaction() as connection:
        return next(_problems(app, tracker, connection), None)


def _problems(app: Flask, tracker: Tracker, connection: Connection) -> Iterator[str]:
    if stale := stale_page(tracker, connection):
        yield stale
    silence = relay_silence(connection, state_of(app).clock())
    if silence is not None:
        yield dead_relay_text(silence)
    if other := other_build(tracker, connection):
        yield other


def other_build(tracker: Tracker, connection: Connection) -> str:
    """Return a sentence if this process does not run the released build, else an empty string."""
    current = current_build(connection)
    if not tracker.requires_current_build or current in {None, tracker.parts.build_id}:
        return ""
    return (
        f"This process is of build {tracker.parts.build_id[:8]}, and build {current[:8]} is "
        "released: their code, templates or settings differ. Readers get the released pages, and "
        "no page that this process renders is shared. Run `flask edge release` with the settings "
        "of the site, or restart the process."
    )
