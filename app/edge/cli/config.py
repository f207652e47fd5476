"""`flask edge config`: an edge's own configuration, made from the routes of the app."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from ..config import varnish
from ..config.plan import NEAR
from ..flask.planning import plan
from .telling import in_one_sentence, this_app

config_cli = AppGroup("config", help="Print an edge's configuration, made from the routes.")

site_option = click.option("--site", default="", help="The site's address, if the app has none.")
origin_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    default=["http://127.0.0.1:8000"],
    show_default=True,
    help="A server of the site; say it again for each.",
)


@config_cli.command("varnish")
@site_option
@origin_option
@click.option("--director", default="round_robin", help="round_robin or fallback.")
@click.option("--purger", "purgers", multiple=True, help="A network that may purge.")
@click.option("--secret-file", default="/etc/varnish/broadsheet.secret", show_default=True)
@click.option("--with-secret", is_flag=True, help="Write EDGE_VARNISH_SECRET into the VCL.")
def varnish_command(
    *, director: str, with_secret: bool, purgers: tuple[str, ...], **said: Any
) -> None:
    """Print a VCL for Varnish 7 with varnish-modules."""
    with in_one_sentence():
        secret = _secret("EDGE_VARNISH_SECRET") if with_secret else ""
        found = plan(this_app(), secret=secret, purgers=purgers or NEAR, **said)
        click.echo(varnish.vcl(found, director=director), nl=False)


def _secret(name: str) -> str:
    found = str(this_app().config.get(name) or "")
    if not found:
        raise click.UsageError(f"{name} is empty: set FLASK_{name} first.")
    return found
