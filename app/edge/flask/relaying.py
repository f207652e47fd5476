"""Relaying for an app: how it goes, and doing it in a process of its own."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from .. import purge
from ..policy import PolicyError
from .asking import tracker_of

if TYPE_CHECKING:
    from flask import Flask

    from .upkeep import Upkeep


def status(app: Flask) -> purge.Status:
    """What is owed to each edge of an app, how long, and how fast it arrives."""
    names = [tier.name for tier in upkeep_of(app).relay.tiers]
    with tracker_of(app).reading() as connection:
        return purge.status(connection, app.extensions["edge"].clock(), names)


def relay(app: Flask, stop: Event) -> None:
    """Take changes to the edges until `stop` is set."""
    found = upkeep_of(app)
    found.catch_up()
    found.run(stop)


def upkeep_of(app: Flask) -> Upkeep:
    """What relays the changes of an app; raises PolicyError where nothing does."""
    found: Upkeep | None = app.extensions["edge"].upkeep
    if found is None:
        raise PolicyError("Nothing relays this app's changes: call edge.track().")
    return found
