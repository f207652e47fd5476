"""Suggest the name that a misspelt name probably means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggest_name(name: str, existing: Iterable[str]) -> str:
    """Return ` (did you mean …?)` with the most similar name; empty if none is similar."""
    matches = get_close_matches(name, sorted(existing), n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""
