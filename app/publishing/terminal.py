"""What the commands of `flask content` share: errors in one sentence, and safe text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from .errors import PublishingError
from .export import ExportError
from .importing.source_folder import SourceError


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Print an error that the user can fix as one sentence, and exit with status 1."""
    try:
        yield
    except (SourceError, ExportError, PublishingError) as error:
        raise click.ClickException(f"{str(error).rstrip('.')}.") from None


def printable(text: str) -> str:
    """Escape the characters that a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
