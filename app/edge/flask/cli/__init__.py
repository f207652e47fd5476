"""The `flask edge` command group. Each command calls a function that Python code can call, too."""

from __future__ import annotations

from flask.cli import AppGroup

from .check import check_command
from .config import config_cli
from .explain import who_command, why_command
from .purge import purge_command
from .release import release_command
from .routes import routes_command
from .status import relay_command, status_command
from .triggers import triggers_cli

edge_cli = AppGroup("edge", help="Inspect, configure and purge the edges.")
for command in (
    check_command,
    config_cli,
    purge_command,
    relay_command,
    release_command,
    routes_command,
    status_command,
    triggers_cli,
    who_command,
    why_command,
):
    edge_cli.add_command(command)
