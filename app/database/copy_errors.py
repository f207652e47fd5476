"""What can be wrong with a backup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

KnowsRevision = Callable[[str], bool]
"""Tells whether the code knows a migration."""


class BackupError(click.ClickException):
    """A backup can't be made or restored; the message says why, and what to do."""


def check_revisions(revisions: Sequence[str], file: Path, knows: KnowsRevision) -> None:
    """Refuse a backup that is not one of this site's, or that a newer release wrote."""
    if not revisions:
        raise BackupError(f"{file} holds no migrated database of Broadsheet: choose another file.")
    if stranger := next((revision for revision in revisions if not knows(revision)), None):
        raise BackupError(
            f"{file} is at migration {stranger}, which this code does not know: "
            "restore it with the release that wrote it, or a newer one."
        )
