"""The tested versions of SQLAlchemy. This module does not import SQLAlchemy."""

from __future__ import annotations

import re

OLDEST_TESTED = (2, 0, 57)
"""The oldest supported release.

Up to 2.0.55 at least, a tuple parameter that occurs twice in a statement fails, as in the query for
due purges (`purge/claim.py`).
"""

FIRST_UNTESTED = (2, 2)
"""The first series that was not tested."""

TESTED_RANGE = "2.0.57 to 2.1"
"""The tested versions, for a sentence; `pyproject.toml` requires the same."""


def is_too_old(version: str) -> bool:
    """Return whether a version is older than the tested ones, or can't be parsed."""
    return _parse(version) < OLDEST_TESTED


def untested_reason(version: str) -> str | None:
    """Return why no response may be shared with a version of SQLAlchemy; None if it may."""
    if is_too_old(version):
        advice = "upgrade SQLAlchemy"
    elif _parse(version) >= FIRST_UNTESTED:
        advice = "upgrade this library, or install SQLAlchemy 2.1"
    else:
        return None
    return f"SQLAlchemy {version} is not supported, only {TESTED_RANGE}: {advice}"


def _parse(version: str) -> tuple[int, ...]:
    """Return the numbers at the start of a version; empty if there are none."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in match[0].split(".")) if match else ()
