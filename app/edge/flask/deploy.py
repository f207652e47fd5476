"""Steps of a deployment that change the app's database: releasing and installing triggers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from ..changes import find_drift, remove_triggers
from ..changes.change import EVERYTHING_CHANGED
from ..changes.log import append_change, reset_log
from ..changes.triggers import install_and_test, log_everything_changed
from ..dependencies.engine_events import INTERNAL_OPTIONS
from ..pages import release as releases
from ..pages.resolver_lock import WRITE_OPTIONS
from ..purge import Tier, membership
from .explain import tracker_of
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerStatus:
    """Whether the triggers are installed as declared; `trouble` says what is wrong."""

    tables: tuple[str, ...]
    trouble: str | None

    def to_lines(self) -> Iterator[str]:
        """Return lines for people."""
        if self.trouble is not None:
            yield f"Nothing is shared: {self.trouble}."
        else:
            yield f"Every write to {', '.join(self.tables)} is logged."

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict."""
        return asdict(self)


def release(app: Flask) -> releases.ReleaseResult:
    """Make this process's build the current release, and purge the pages that it changes."""
    tracker = tracker_of(app)
    with tracker.change_log_transaction() as connection:
        released = releases.release(connection, tracker.parts, tracker.watched_tables)
        now = state_of(app).clock()
        retired = membership.retire_unconfigured_tiers(connection, tracker.front.tiers, now)
    return replace(released, retired=tuple(retired))


def reinstall_triggers(app: Flask) -> TriggerStatus:
    """Install the triggers again, and purge everything, since writes may have been missed.

    Raises:
        NotWatchableError: the triggers can't be installed; the old ones are unchanged.
    """
    tracker = tracker_of(app)
    with tracker.change_log_transaction() as connection:
        install_and_test(connection, tracker.watched_tables)
    return check_triggers(app)


def uninstall_triggers(app: Flask) -> TriggerStatus:
    """Remove all triggers and purge everything; nothing is shared until they are installed."""
    tracker = tracker_of(app)
    with tracker.change_log_transaction() as connection:
        remove_triggers(connection)
        log_everything_changed(connection)
    return check_triggers(app)


def joined_tiers(app: Flask) -> list[Tier]:
    """Return the tiers that are purged now; an empty list if the database has no such table."""
    try:
        with tracker_of(app).read_transaction() as connection:
            return membership.member_tiers(connection)
    except DBAPIError:
        return []


def begin_new_history(app: Flask, tiers: Iterable[Tier] = ()) -> None:
    """Reset the change log after the database was replaced, and purge every tier.

    This machine's gateway is emptied at once. The purges of the other tiers are committed to the
    outbox; the first web process delivers them, because this command's settings may not name the
    edges in front.

    Args:
        app: the app whose database was replaced.
        tiers: the tiers that the former database listed.
    """
    state, tracker = state_of(app), tracker_of(app)
    with tracker.engine.execution_options(
        **WRITE_OPTIONS, **INTERNAL_OPTIONS
    ).begin() as connection:
        for tier in (*tiers, *tracker.front.tiers):
            membership.join(connection, tier, state.clock())
        reset_log(connection)
    if state.embedded_gateway is not None:
        state.embedded_gateway.gateway.purge_all()


def purge_everything(app: Flask) -> None:
    """Purge everything at every tier; if the database is unavailable, only at the gateway."""
    state = state_of(app)
    try:
        with tracker_of(app).change_log_transaction() as connection:
            append_change(connection, EVERYTHING_CHANGED)
    except DBAPIError:
        if state.embedded_gateway is not None:
            state.embedded_gateway.gateway.purge_all()


def check_triggers(app: Flask) -> TriggerStatus:
    """Return whether the installed triggers match the declaration."""
    tracker = tracker_of(app)
    with tracker.read_transaction() as connection:
        trouble = find_drift(connection, tracker.watched_tables)
    return TriggerStatus(tables=tuple(t.table for t in tracker.watched_tables), trouble=trouble)
