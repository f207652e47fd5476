"""How every command answers: in words for people, as JSON for programs."""

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
    """The app itself, not the name that stands for it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask documents
    return app


class CommandResult(Protocol):
    """What a function found out."""

    def to_lines(self) -> Iterable[str]:
        """The lines that people read."""

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""


def tell(answer: CommandResult, *, as_json: bool) -> None:
    """Print an answer."""
    text = json.dumps(answer.to_json(), indent=2) if as_json else "\n".join(answer.to_lines())
    click.echo(text)


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What a person can mend is said in one sentence, and the status is 1."""
    try:
        yield
    except (UnknownRowError, PolicyError) as error:
        raise click.ClickException(str(error)) from None
    except NotWatchableError as error:
        raise click.ClickException(f"The triggers are as they were: {error}.") from None
    except NoSuchTableError as error:
        raise click.ClickException(f"The database has no table {error}: make it first.") from None
