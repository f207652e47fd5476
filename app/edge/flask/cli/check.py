"""`flask edge check`: audits a live site from outside, and tells what its caches do wrong."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from ...audit import AuditLimits, AuditOptions
from ...audit.command import EXIT_ERROR, OutputOptions, run
from .. import explain
from ..routes import unkept_variants
from ..sampling import rewritten_pages
from ..state import state_of
from .output import this_app

if TYPE_CHECKING:
    from flask import Flask

    from ...audit import SiteProfile

_SECONDS = click.FloatRange(min=0, min_open=True)


def _site_profile(app: Flask) -> SiteProfile | None:
    """What the app has said of itself, with the routes whose variants an edge would mix."""
    ours: SiteProfile | None = state_of(app).site_profile
    if ours is None:
        return None
    return replace(ours, unkept_variants=unkept_variants(app), rewritten=rewritten_pages(app))


@click.command("check")
@click.argument("base_url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--watch", "watching", is_flag=True, help="Sample the site until Ctrl-C.")
@click.option("--every", type=_SECONDS, default=5.0, help="Seconds between two samples (5).")
@click.option("--for", "span", type=_SECONDS, help="Watch for so many seconds.")
@click.option("--origin", help="The origin's own address, to try to get past the CDN.")
@click.option("--purge", "purging", is_flag=True, help="Purge a probe page, and time it.")
@click.option("--timeout", type=_SECONDS, default=10.0, help="Seconds for an answer (10).")
@with_appcontext
def check_command(  # noqa: PLR0913 - one parameter an option
    *,
    base_url: str,
    as_json: bool,
    watching: bool,
    every: float,
    span: float | None,
    origin: str | None,
    purging: bool,
    timeout: float,
) -> None:
    """Audit the site at BASE_URL; exit with 1 for an error or a warning, 2 if it can't be done."""
    app = this_app()
    if purging and state_of(app).tracker is None:
        click.echo("Nothing follows this app's pages, so --purge has nothing to purge.", err=True)
        sys.exit(EXIT_ERROR)
    wishes = AuditOptions(
        profile=_site_profile(app),
        origin_url=origin,
        purge=(lambda path: explain.purge(app, url=path)) if purging else None,
        limits=AuditLimits(timeout=timeout),
    )
    manner = OutputOptions(as_json=as_json, watching=watching, interval=every, duration=span)
    sys.exit(
        run(base_url, wishes, manner, out=click.echo, err=lambda text: click.echo(text, err=True))
    )
