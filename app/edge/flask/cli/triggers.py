"""`flask edge triggers`: what writes the change log, installed and checked."""

from __future__ import annotations

import sys

from flask.cli import AppGroup

from .. import deploy
from .output import as_json_option, in_one_sentence, tell, this_app

triggers_cli = AppGroup(
    "triggers", help="Install, check or remove the triggers that log every write."
)


@triggers_cli.command("install")
@as_json_option
def install_command(*, as_json: bool) -> None:
    """Make the triggers anew, and purge everything: nobody logged what was written meanwhile."""
    with in_one_sentence():
        tell(deploy.reinstall_triggers(this_app()), as_json=as_json)


@triggers_cli.command("remove")
@as_json_option
def remove_command(*, as_json: bool) -> None:
    """Take the triggers away, before somebody alters a watched table by hand; nothing is shared."""
    with in_one_sentence():
        tell(deploy.uninstall_triggers(this_app()), as_json=as_json)


@triggers_cli.command("check")
@as_json_option
def check_command(*, as_json: bool) -> None:
    """Say whether the triggers are what was installed; the status is 1 when they are not."""
    with in_one_sentence():
        trigger_status = deploy.check_triggers(this_app())
    tell(trigger_status, as_json=as_json)
    sys.exit(0 if trigger_status.trouble is None else 1)
