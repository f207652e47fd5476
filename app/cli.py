"""The commands of the whole app: `flask config`."""

from __future__ import annotations

import click
from flask import Flask, current_app

from . import config


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(show_config)


@click.command("config")
def show_config() -> None:
    """Print the effective settings; secrets are masked."""
    for setting, value in config.effective(current_app):
        unit = f" {setting.unit}" if setting.unit else ""
        click.echo(f"{' / '.join(setting.variables):<38} {value}{unit}")
        click.echo(f"    {setting.help}")
