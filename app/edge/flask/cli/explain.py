"""`flask edge why` and `flask edge who`: what a page depends on, and which pages show a row."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from .. import explain
from .output import as_json_option, in_one_sentence, print_result, this_app


@click.command("why")
@click.argument("url")
@as_json_option
@with_appcontext
def why_command(url: str, *, as_json: bool) -> None:
    """Show why URL is cached or not, its dependencies, and the last change that affected it."""
    with in_one_sentence():
        print_result(explain.why(this_app(), url), as_json=as_json)


@click.command("who")
@click.argument("subject")
@click.option("--column", "columns", multiple=True, help="Only a change of this column.")
@click.option("--table", help="Search SUBJECT in this table only.")
@as_json_option
@with_appcontext
def who_command(
    subject: str, columns: tuple[str, ...], table: str | None, *, as_json: bool
) -> None:
    """List the pages that a change of SUBJECT (a slug or a path) affects."""
    with in_one_sentence():
        impact = explain.who(this_app(), subject, columns=columns, table=table)
        print_result(impact, as_json=as_json)
