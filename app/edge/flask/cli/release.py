"""`flask edge release`: run it once per deployment, after the migrations."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from .. import deploy
from .output import as_json_option, in_one_sentence, print_result, this_app


@click.command("release")
@as_json_option
@with_appcontext
def release_command(*, as_json: bool) -> None:
    """Purge the pages whose templates, files, settings or code changed since the last release."""
    with in_one_sentence():
        print_result(deploy.release(this_app()), as_json=as_json)
