"""`flask edge`: what the edge knows and does, on the command line.

A command is a few lines over a function that Python can call as well.
"""

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

edge_cli = AppGroup("edge", help="Ask the edge what it does, and purge it.")
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
