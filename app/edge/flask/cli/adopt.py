"""`flask edge adopt`: visit every GET route and say what prevents its pages from being shared."""

from __future__ import annotations

import json

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from ...policy.policy import PolicyError
from ..adopt import adopt

_NOTICE = (
    "Each view runs once, for a visitor without cookies. Writes through SQLAlchemy are refused; "
    "other effects of a view, such as e-mails and files, are not prevented."
)


@click.command("adopt")
@click.option("--url", "urls", multiple=True, help="An example of a URL with parameters: /posts/1.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@with_appcontext
def adopt_command(urls: tuple[str, ...], *, as_json: bool) -> None:
    """Run every GET view once, and list what prevents its pages from being shared.

    Each line has the decorator to write. Writes through SQLAlchemy are refused. Other effects of a
    view are not prevented: use a copy of the data if GET requests have such effects.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask documents
    click.echo(_NOTICE, err=True)
    try:
        adoption = adopt(app, urls)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    text = json.dumps(adoption.to_json(), indent=2) if as_json else "\n".join(adoption.to_lines())
    click.echo(text)
