"""Where a process of the site is, step by step, and its death there.

A step is what the issue of a crash is about: the editor's commit, resolving, delivering, settling,
the gateway's purge, registering and storing a page, trimming, and the start of a process. Within a
step a process gets to many points: each statement and commit, each transaction of the store.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.edge.cdn.gateway import GatewayDriver
from app.edge.changes import log
from app.edge.flask.tracking import Tracker
from app.edge.flask.worker import PurgeWorker
from app.edge.gateway.store.lmdb.environment import Environment
from app.edge.gateway.store.lmdb.store import LmdbStore
from app.edge.purge import maintenance
from app.edge.purge.delivery import Delivery
from app.edge.purge.relay import Relay

from .crash_site import Mortal

STEPS = ("commit", "resolve", "deliver", "settle", "purge", "register", "store", "trim")
END = "end"

_PLACES = {
    Mortal.write: "commit",
    Relay.enqueue_changes: "resolve",
    log._note_trimmed: "trim",
    log.sweep: "trim",
    maintenance.run_maintenance: "trim",
    Relay._sweep: "trim",
    Relay.run_leader_tasks: "plan",
    Delivery.send_next: "deliver",
    Delivery._record_result: "settle",
    GatewayDriver._call_store: "purge",
    Tracker._register: "register",
    LmdbStore.save: "store",
    LmdbStore.add_codings: "store",
    LmdbStore.freshen: "store",
    LmdbStore._purge: "purge",
    PurgeWorker.catch_up: "start",
    PurgeWorker._record_history: "settle",
}
_STEP_OF = {place.__code__: step for place, step in _PLACES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """At which point of which step a process dies; the first is number one, and zero is none."""

    step: str = ""
    number: int = 0


@dataclass(slots=True)
class Path:
    """The points that a process gets to, told to whoever reads the pipe, until its doom."""

    pipe: int
    doom: Doom
    counts: Counter[str] = field(default_factory=Counter)

    def at(self, point: str, step: str = "") -> None:
        """Be at a point; nothing comes after it if it is the last one."""
        step = step or _step(sys._getframe(1))
        os.write(self.pipe, f"{step} {point}\n".encode())
        self.counts[step] += 1
        if step == self.doom.step and self.counts[step] == self.doom.number:
            os.kill(os.getpid(), signal.SIGKILL)


def _step(frame: FrameType | None) -> str:
    """What the process is doing: the innermost place that has a name."""
    while frame is not None:
        if step := _STEP_OF.get(frame.f_code):
            return step
        frame = frame.f_back
    return "read"


def watch(engine: Engine, at: Callable[..., None]) -> None:
    """Let a process tell of every statement, every commit and every transaction of the store."""
    event.listen(engine, "before_cursor_execute", _statement(at))
    commit = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        at("commit")
        commit(connection)
        at("committed")

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign, assignment]
    writing = Environment.write_transaction

    @contextmanager
    def watched(environment: Environment) -> Iterator[Any]:
        with writing(environment) as transaction:
            at("store begun")
            yield transaction
            at("store written")
        at("store kept")

    Environment.write_transaction = watched  # type: ignore[method-assign, assignment]


def _statement(at: Callable[..., None]) -> Callable[..., None]:
    def before(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        trims = statement.startswith(("DELETE FROM edge_change", "DELETE FROM edge_outbox"))
        at(" ".join(statement.split(maxsplit=3)[:3]), "trim" if trims else "")

    return before
