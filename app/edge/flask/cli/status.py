"""`flask edge status` and `flask edge relay`: show the purges, and run the relay process."""

from __future__ import annotations

import signal
from threading import Event

import click
from flask.cli import with_appcontext

from .. import relay
from .output import as_json_option, in_one_sentence, print_result, this_app


@click.command("status")
@as_json_option
@with_appcontext
def status_command(*, as_json: bool) -> None:
    """Show pending purges of each edge, their delays, and the size of the page index."""
    with in_one_sentence():
        print_result(relay.status(this_app()), as_json=as_json)


@click.command("relay")
@with_appcontext
def relay_command() -> None:
    """Deliver purges to the edges until stopped; for web processes with FLASK_EDGE_RELAY=off."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo("The relay is running; Ctrl-C stops it.")
    with in_one_sentence():
        relay.relay(this_app(), stop)
