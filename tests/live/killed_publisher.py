"""A publisher that is killed: `python -m tests.live.killed_publisher`, with the settings of a site in its environment.

It reads one line a round: the id and the version of a working copy, and the number of the point at
which the process dies. A point is before a statement, before the commit, or after it. It answers
with the signal that killed the process, or 0 if it got to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.extensions import db
from app.publishing import actions
from app.publishing.permissions import SYSTEM

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def watch(last: int) -> None:
    """Kill this process at its last point."""
    count = 0

    def at_point(*_arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(db.engine, "before_cursor_execute", at_point)
    commit = db.engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        at_point()
        commit(connection)
        at_point()

    db.engine.dialect.do_commit = do_commit  # type: ignore[method-assign, assignment]


def publish(app: Flask, copy_id: int, version: int, last: int) -> int:
    """Publish in a process of its own; return the signal that ended it."""
    child = os.fork()
    if not child:
        with app.app_context():
            watch(last)
            release = actions.Release(timing=actions.Timing.NOW, new_date=True)
            actions.publish_copy(copy_id, release, version=version, now=NOW, actor=SYSTEM)
        os._exit(os.EX_OK)
    return -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Serve the rounds; no connection is open while a child is made."""
    app = create_app()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{publish(app, *map(int, line.split()))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
