"""`flask edge triggers`: install, remove or check the triggers that write the change log."""

from __future__ import annotations

import sys

from flask.cli import AppGroup

from .. import deploy
from .output import as_json_option, in_one_sentence, print_result, this_app

triggers_cli = AppGroup(
    "triggers", help="Install, check or remove the triggers that log every write."
)


@triggers_cli.command("install")
@as_json_option
def install_command(*, as_json: bool) -> None:
    """Install the triggers again, and purge everything, since writes may not have been logged."""
    with in_one_sentence():
        print_result(deploy.reinstall_triggers(this_app()), as_json=as_json)


@triggers_cli.command("remove")
@as_json_option
def remove_command(*, as_json: bool) -> None:
    """Remove the triggers, to alter a watched table by hand; nothing is shared without them."""
    with in_one_sentence():
        print_result(deploy.uninstall_triggers(this_app()), as_json=as_json)


@triggers_cli.command("check")
@as_json_option
def check_command(*, as_json: bool) -> None:
    """Check whether the triggers match the declaration; exit with 1 if they do not."""
    with in_one_sentence():
        trigger_status = deploy.check_triggers(this_app())
    print_result(trigger_status, as_json=as_json)
    sys.exit(0 if trigger_status.trouble is None else 1)
