"""`flask edge purge`: what a person wants forgotten, through the change log like any write."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from .. import explain
from ..retrying import retry_purges
from .output import as_json_option, in_one_sentence, tell, this_app


@click.command("purge")
@click.option("--url", help="The page at this path.")
@click.option("--post", "subject", help="Every page that shows this: a slug or a path.")
@click.option("--all", "everything", is_flag=True, help="Everything.")
@click.option(
    "--retry",
    "tier",
    is_flag=False,
    flag_value="",
    metavar="[TIER]",
    help="Send what failed again at once, at TIER or everywhere, as after mending a token.",
)
@as_json_option
@with_appcontext
def purge_command(
    url: str | None, subject: str | None, tier: str | None, *, everything: bool, as_json: bool
) -> None:
    """Let every edge forget a page, the pages that show a post, or everything."""
    if sum((url is not None, subject is not None, tier is not None, everything)) != 1:
        raise click.UsageError(
            "Say one of --url, --post and --all. --retry sends failed purges again, on its own."
        )
    with in_one_sentence():
        if tier is not None:
            tell(retry_purges(this_app(), tier), as_json=as_json)
            return
        tell(explain.purge(this_app(), url=url, subject=subject), as_json=as_json)
