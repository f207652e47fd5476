"""Editors that die: `python -m tests.live.crashing_editor`, with the settings of a site in its environment.

It reads one line a round: a title for the site, and the step
of purging after which the editor's process is killed. It answers with the signal that killed him,
or with "busy" when somebody else was writing all the time.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from flask import Flask

from app import create_app
from app.database.errors import UnusableDatabaseError
from app.edge.purge.runtime import RelayRuntime
from app.extensions import db
from app.publishing import actions
from app.publishing.models import Site
from app.publishing.permissions import SYSTEM

STEPS = ("committed", "resolved", "settled", "claimed", "called", "recorded")
"""From right after the commit to the end of the gateway's purge."""


def die(*_arguments: Any, **_more: Any) -> None:
    """Be gone, without a word to anybody."""
    os.kill(os.getpid(), signal.SIGKILL)


def doomed(app: Flask, step: str) -> None:
    """Let the process come no further than a step."""
    relay = app.extensions["edge"].worker.relay
    if step == "committed":
        relay.flush = die
    runtime = RelayRuntime(on_step=lambda name: die() if name == step else None)
    for part in (relay, *relay.deliveries):
        part._runtime = runtime


def name_the_site(title: str) -> None:
    """Write what every page shows."""
    site = db.session.get(Site, 1)
    version = site.version if site else None
    actions.save_site(actions.SiteDraft(title=title), expected_version=version, actor=SYSTEM)


def edit(app: Flask, title: str, step: str) -> str:
    """Let an editor write in a process of his own; return how it ended."""
    child = os.fork()
    if not child:
        doomed(app, step)
        with app.app_context():
            try:
                name_the_site(title)
            except UnusableDatabaseError:
                os._exit(os.EX_TEMPFAIL)
        os._exit(os.EX_OK)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return "busy" if code == os.EX_TEMPFAIL else str(-code)


def main() -> None:
    """Serve the rounds; no connection is open while a child is made."""
    app = create_app()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        title, step = line.split()
        sys.stdout.write(f"{edit(app, title, step)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
