"""Output of the commands: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click
from flask import Flask, current_app
from sqlalchemy.exc import NoSuchTableError

from ...changes.declaration import NotWatchableError
from ...pages.impact import UnknownRowError
from ...policy.policy import PolicyError

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def this_app() -> Flask:
    """Return the app itself instead of the `current_app` proxy."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask documents
    return app


class CommandResult(Protocol):
    """A result that a command prints."""

    def to_lines(self) -> Iterable[str]:
        """Return lines for people."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict."""


def print_result(result: CommandResult, *, as_json: bool) -> None:
    """Print a result as text or JSON."""
    text = json.dumps(result.to_json(), indent=2) if as_json else "\n".join(result.to_lines())
    click.echo(text)


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Report errors that the user can fix in one sentence; the exit status is 1."""
    try:
        yield
    except (UnknownRowError, PolicyError) as error:
        raise click.ClickException(str(error)) from None
    except NotWatchableError as error:
        raise click.ClickException(f"The triggers are unchanged: {error}.") from None
    except NoSuchTableError as error:
        raise click.ClickException(
            f"The database has no table {error}: run the migrations first."
        ) from None
