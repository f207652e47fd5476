"""The command `flask config`."""

from __future__ import annotations

import click
from flask import Flask, current_app

from app import config


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(show_config)


@click.command("config")
@click.option("as_json", "--json", is_flag=True, help="Print JSON for programs.")
@click.option("as_markdown", "--markdown", is_flag=True, help="Print the manual's table.")
def show_config(*, as_json: bool, as_markdown: bool) -> None:
    """Print the effective settings; secrets are masked."""
    if as_json:
        click.echo(config.as_json(current_app))
    elif as_markdown:
        click.echo(config.as_markdown(), nl=False)
    else:
        for setting, value in config.effective(current_app):
            unit = f" {setting.unit}" if setting.unit and value else ""
            click.echo(f"{' / '.join(setting.variables):<38} {value}{unit}".rstrip())
            click.echo(f"    {setting.help}")
