"""`flask db backup` and `flask db restore`: the whole database in one file, and back from it."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from .database import Base, copies
from .edge.flask import releasing
from .extensions import alembic, db


def init_app(app: Flask) -> None:
    """Register the commands beside those of the migrations."""
    group = app.cli.commands["db"]
    if not isinstance(group, click.Group):  # pragma: no cover - Flask-Alembic registers a group
        raise TypeError("`flask db` is no group of commands")
    group.add_command(backup_command)
    group.add_command(restore_command)


def backup(file: Path) -> None:
    """Write a consistent copy of the database to a new file, while the site runs."""
    copies.save(db.engine.url, file)


def restore(app: Flask, file: Path) -> None:
    """Replace the database by a backup, bring it to this code's migration and purge everything.

    No other process may use the database. The edges are purged when the site starts.
    """
    tiers = releasing.joined_tiers(app)
    db.session.remove()
    db.engine.dispose()
    copies.load(db.engine.url, file, knows=alembic.knows, tables=tuple(Base.metadata.tables))
    alembic.upgrade()
    releasing.begin_new_history(app, tiers)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def backup_command(file: Path) -> None:
    """Write the whole database to a new FILE, while the site runs."""
    backup(file)
    click.echo(f"The database was written to {file}.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def restore_command(file: Path) -> None:
    """Replace the whole database by the one in FILE, and purge everything. Stop the site first."""
    restore(current_app, file)
    click.echo(f"The database is the one in {file}, and everything is purged.")
