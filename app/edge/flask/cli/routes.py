"""`flask edge routes`: list every route with its policy."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import with_appcontext

from ..routes import routes, with_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from ..routes import Route

_MAX_WIDTH = 100


@click.command("routes")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--visit", "visits", is_flag=True, help="Run shared views; list what forbids it.")
@with_appcontext
def routes_command(*, as_json: bool, visits: bool) -> None:
    """List every route with its policy and its meaning for browser and edges.

    With --visit, each GET view with a shared policy runs once, as `flask edge adopt` runs it.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask documents
    listed = with_problems(app) if visits else routes(app)
    if as_json:
        click.echo(json.dumps([route.to_json() for route in listed], indent=2))
        return
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    click.echo("\n".join(line for route in listed for line in route_lines(route, width)))


def route_lines(route: Route, width: int) -> Iterator[str]:
    """Yield one route in lines of at most `width` columns; click removes colours for a pipe."""
    methods = ",".join(route.methods)
    yield from textwrap.wrap(f"{methods} {route.rule}", width, subsequent_indent="    ")
    colour = "green" if route.edge != "keeps nothing" else "yellow"
    policy_text = f"{route.policy}, set by {_SOURCES[route.source]}"
    yield from (click.style(line, fg=colour) for line in _indented(policy_text, width))
    if route.reason is None:
        yield from _indented(f"browser {route.browser}", width)
        yield from _indented(f"edge {route.edge}", width)
        for name, edge_text in route.edges.items():
            if edge_text != "keeps nothing":
                yield from _indented(f"{name} {edge_text}", width)
    for problem in route.problems or ():
        yield from (click.style(x, fg="red") for x in _indented(f"not shared: {problem}", width))
    if route.query:
        yield from _indented(f"reads ?{', ?'.join(route.query)}", width)
    if route.languages:
        yield from _indented(f"languages {', '.join(route.languages)}", width)


_SOURCES = {
    "view": "the view",
    "blueprint": "its blueprint",
    "default": "the app's default",
    "none": "nothing (unmarked)",
}


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="        ")
