"""`flask edge release`: to be run once a deploy, after the migrations."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from .. import deploy
from .output import as_json_option, in_one_sentence, tell, this_app


@click.command("release")
@as_json_option
@with_appcontext
def release_command(*, as_json: bool) -> None:
    """Purge the pages whose templates, files, settings or code changed since the last release."""
    with in_one_sentence():
        tell(deploy.release(this_app()), as_json=as_json)
