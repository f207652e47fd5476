"""The condition of an app's edge: what probes, `edge status` and the log say of a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..pages.register import current_build
from ..purge.heartbeat import relay_silence
from ..purge.status import dead_relay
from .sampling import stale_page
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from .tracking import Tracker


def degraded(app: Flask) -> str | None:
    """Say in a sentence what readers may see wrong just now; None when all is well."""
    tracker: Tracker | None = state_of(app).tracker
    if tracker is None:
        return None
    with tracker.read_transaction() as connection:
        return next(_troubles(app, tracker, connection), None)


def _troubles(app: Flask, tracker: Tracker, connection: Connection) -> Iterator[str]:
    if stale := stale_page(tracker, connection):
        yield stale
    silence = relay_silence(connection, state_of(app).clock())
    if silence is not None:
        yield dead_relay(silence)
    if other := other_build(tracker, connection):
        yield other


def other_build(tracker: Tracker, connection: Connection) -> str:
    """Say that this process is not of the released build; empty when it is, or need not be."""
    current = current_build(connection)
    if not tracker.requires_current_build or current in {None, tracker.parts.build_id}:
        return ""
    return (
        f"This process is of build {tracker.parts.build_id[:8]}, and build {current[:8]} is "
        "released: its code, templates or settings are other ones. Readers are shown the released "
        "pages, and no page that this process makes is shared. Run `flask edge release` with the "
        "settings of the site, or restart the process."
    )
