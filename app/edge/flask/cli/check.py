"""`flask edge check`: audit a live site from outside, and report faults of its caches."""

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
    """Return the app's profile, with the routes whose variants an edge would mix."""
    profile = state_of(app).site_profile
    if profile is None:
        return None
    find_problems = state_of(app).find_problems
    return replace(
        profile,
        unkept_variants=unkept_variants(app),
        rewritten=rewritten_pages(app),
        app_problems=find_problems() if find_problems else (),
    )


@click.command("check")
@click.argument("base_url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--watch", "watching", is_flag=True, help="Sample the site until Ctrl-C.")
@click.option("--every", type=_SECONDS, default=5.0, help="Seconds between two samples (5).")
@click.option("--for", "span", type=_SECONDS, help="Watch for this many seconds.")
@click.option("--origin", help="The origin's own URL, to test access without the CDN.")
@click.option("--purge", "purging", is_flag=True, help="Purge a probe page, and measure the time.")
@click.option("--timeout", type=_SECONDS, default=10.0, help="Seconds to wait for a response (10).")
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
    """Audit the site at BASE_URL; exit with 1 for an error or warning, 2 if the audit fails."""
    app = this_app()
    if purging and state_of(app).tracker is None:
        click.echo("This app does not track its pages, so --purge can't purge a page.", err=True)
        sys.exit(EXIT_ERROR)
    options = AuditOptions(
        profile=_site_profile(app),
        origin_url=origin,
        purge=(lambda path: explain.purge(app, url=path)) if purging else None,
        limits=AuditLimits(timeout=timeout),
    )
    output = OutputOptions(as_json=as_json, watching=watching, interval=every, duration=span)
    sys.exit(
        run(base_url, options, output, out=click.echo, err=lambda text: click.echo(text, err=True))
    )
