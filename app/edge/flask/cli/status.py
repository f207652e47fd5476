"""`flask edge status` and `flask edge relay`: how purging goes, and doing it apart."""

from __future__ import annotations

import signal
from threading import Event

import click
from flask.cli import with_appcontext

from .. import relay
from .output import as_json_option, in_one_sentence, tell, this_app


@click.command("status")
@as_json_option
@with_appcontext
def status_command(*, as_json: bool) -> None:
    """Show what is owed to each edge, how fast purges arrive, and how full the index is."""
    with in_one_sentence():
        tell(relay.status(this_app()), as_json=as_json)


@click.command("relay")
@with_appcontext
def relay_command() -> None:
    """Take changes to the edges until stopped; for FLASK_EDGE_RELAY=off in the web processes."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo("Relaying; Ctrl-C stops it.")
    with in_one_sentence():
        relay.relay(this_app(), stop)
