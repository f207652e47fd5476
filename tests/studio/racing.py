"""A process of a race: `python -m tests.studio.racing TASK NUMBER GATE READY ARGUMENT`.

It opens the app, says that it is ready, and does its task when the gate opens: GATE is a file that
the test holds locked, READY a named pipe.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from app import create_app
from app.publishing.errors import PublishingError
from app.publishing.models import Role
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction
from app.studio import accounts, throttle
from app.studio.accounts import NewUser

FAILURES = 20
"""How many failures each process counts."""


def set_up(number: int, token: str) -> object:
    """Make the first owner."""
    owner = NewUser(email=f"owner{number}@example.com", name="Owner")
    return accounts.set_up_owner(token, owner, now=datetime.now(UTC))


def accept(number: int, token: str) -> object:
    """Accept an invitation."""
    return accounts.accept_invitation(token, f"Name {number}", "hash", now=datetime.now(UTC))


def count(_number: int, network: str) -> object:
    """Count failures of one account."""
    keys = throttle.keys_for("owner@example.com", network)
    for _ in range(FAILURES):
        with transaction() as session:
            throttle.count_failure(session, keys, datetime.now(UTC))
    return FAILURES


def demote(number: int, user_ids: str) -> object:
    """Give one of the owners another role."""
    user_id = int(user_ids.split(",")[number])
    return accounts.set_role(user_id, Role.WRITER, now=datetime.now(UTC), actor=SYSTEM).id


TASKS: dict[str, Callable[[int, str], object]] = {
    "set_up": set_up,
    "accept": accept,
    "count": count,
    "demote": demote,
}


def main(task: str, number: str, gate: str, ready: str, argument: str) -> None:
    """Wait for the gate, do the task, and print what came of it."""
    app = create_app()
    with app.app_context(), Path(gate).open() as lock:
        with Path(ready).open("w") as pipe:
            pipe.write(".")
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            outcome = f"done {TASKS[task](int(number), argument)}"
        except PublishingError as error:
            outcome = f"refused {type(error).__name__}"
        sys.stdout.write(f"{outcome}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
