"""`flask edge purge`: purge by hand, through the change log like any write."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from .. import explain
from ..retrying import retry_purges
from .output import as_json_option, in_one_sentence, print_result, this_app


@click.command("purge")
@click.option("--url", help="The page at this path.")
@click.option("--post", "subject", help="All pages that show this post, given by slug or path.")
@click.option("--all", "everything", is_flag=True, help="All pages.")
@click.option(
    "--retry",
    "tier",
    is_flag=False,
    flag_value="",
    metavar="[TIER]",
    help="Retry failed purges at once, at TIER or all tiers, for example after fixing a token.",
)
@as_json_option
@with_appcontext
def purge_command(
    url: str | None, subject: str | None, tier: str | None, *, everything: bool, as_json: bool
) -> None:
    """Purge a page, the pages that show a post, or everything, at every edge."""
    if sum((url is not None, subject is not None, tier is not None, everything)) != 1:
        raise click.UsageError(
            "Give one of --url, --post, --all and --retry; --retry sends failed purges again."
        )
    with in_one_sentence():
        if tier is not None:
            print_result(retry_purges(this_app(), tier), as_json=as_json)
            return
        print_result(explain.purge(this_app(), url=url, subject=subject), as_json=as_json)
