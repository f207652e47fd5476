"""The `flask edge` command group. Each command calls a function that Python code can call, too.

A command is imported when it is called or when the help lists it, since most of them need the
packages of a higher level.
"""

from __future__ import annotations

from importlib import import_module

import click
from flask.cli import AppGroup

_COMMANDS = {
    "adopt": "adopt.adopt_command",
    "check": "check.check_command",
    "config": "config.config_cli",
    "purge": "purge.purge_command",
    "relay": "status.relay_command",
    "release": "release.release_command",
    "routes": "routes.routes_command",
    "status": "status.status_command",
    "triggers": "triggers.triggers_cli",
    "who": "explain.who_command",
    "why": "explain.why_command",
}
"""The module and the name of each command."""


class LazyGroup(AppGroup):
    """A group of commands that imports the module of a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in alphabetical order."""
        return sorted({*super().list_commands(ctx), *_COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; one that lacks a package fails with a sentence when it is called."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name].partition(".")
        try:
            command = getattr(import_module(f".{module}", __name__), name)
        except ModuleNotFoundError as error:
            return _missing_command(cmd_name, error.name or "a package")
        assert isinstance(command, click.Command)
        return command


def _missing_command(name: str, module: str) -> click.Command:
    """Return a command that says which package it needs."""
    sentence = f"This command needs the package {module}, which is not installed."

    def fail() -> None:
        raise click.ClickException(sentence)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(
        name, callback=fail, help=sentence, add_help_option=False, context_settings=anything
    )


edge_cli = LazyGroup("edge", help="Inspect, configure and purge the edges.")
