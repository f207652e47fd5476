"""What is done to an app's database when it is deployed: a release, and the triggers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from .. import release as releases
from ..changes import drift, remove
from ..changes.change import EVERYTHING
from ..changes.install import install_and_test, log_everything
from ..changes.log import append, begin_anew
from ..index.lock import WRITING
from ..purge import Tier, gateways
from ..sqlalchemy import INTERNAL
from .asking import tracker_of

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """Whether the triggers can be trusted, and why not."""

    tables: tuple[str, ...]
    trouble: str | None

    def words(self) -> Iterator[str]:
        """The same for people."""
        if self.trouble is not None:
            yield f"Nothing is shared: {self.trouble}."
        else:
            yield f"Every write to {', '.join(self.tables)} is logged."

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self)


def release(app: Flask) -> releases.Released:
    """Make what this process is the current release; pages that show something else are purged."""
    tracker = tracker_of(app)
    with tracker.logging() as connection:
        released = releases.release(connection, tracker.parts, tracker.watched)
        now = app.extensions["edge"].clock()
        retired = gateways.retire_others(connection, tracker.front.tiers, now)
    return replace(released, retired=tuple(retired))


def install_triggers(app: Flask) -> Triggers:
    """Make the triggers anew; everything is purged, since writes may have been missed.

    Raises:
        NotWatchableError: the triggers can't do their work; they are what they were before.
    """
    tracker = tracker_of(app)
    with tracker.logging() as connection:
        install_and_test(connection, tracker.watched)
    return check_triggers(app)


def remove_triggers(app: Flask) -> Triggers:
    """Take all triggers away; everything is purged, and nothing is shared until they are back."""
    tracker = tracker_of(app)
    with tracker.logging() as connection:
        remove(connection)
        log_everything(connection)
    return check_triggers(app)


def joined_tiers(app: Flask) -> list[Tier]:
    """The gateways and edges that are purged now; none where the database has no such table."""
    try:
        with tracker_of(app).reading() as connection:
            return gateways.joined(connection)
    except DBAPIError:
        return []


def begin_new_history(app: Flask, tiers: Iterable[Tier] = ()) -> None:
    """Begin the change log anew after the database was replaced, and purge every tier.

    This machine's gateway is emptied at once. Of the rest the purge is committed here, and left to
    the first process that serves: its settings name the edges in front, this command's may not.

    Args:
        app: whose database was replaced.
        tiers: those that the former database knew.
    """
    state, tracker = app.extensions["edge"], tracker_of(app)
    with tracker.engine.execution_options(**WRITING, **INTERNAL).begin() as connection:
        for tier in (*tiers, *tracker.front.tiers):
            gateways.join(connection, tier, state.clock())
        begin_anew(connection)
    if state.embedded is not None:
        state.embedded.gateway.purge_all()


def forget_everything(app: Flask) -> None:
    """Let every edge forget everything, where the database does its work; the gateway always."""
    state = app.extensions["edge"]
    try:
        with tracker_of(app).logging() as connection:
            append(connection, EVERYTHING)
    except DBAPIError:
        if state.embedded is not None:
            state.embedded.gateway.purge_all()


def check_triggers(app: Flask) -> Triggers:
    """Look whether the triggers are what was installed."""
    tracker = tracker_of(app)
    with tracker.reading() as connection:
        trouble = drift(connection, tracker.watched)
    return Triggers(tables=tuple(one.table for one in tracker.watched), trouble=trouble)
