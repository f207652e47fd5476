"""One setting of the edge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One configuration key; `default` None means that the help says what happens.

    `secret`: its value is never shown.
    """

    name: str
    type: type
    default: str | int | bool | None
    unit: str = ""
    help: str
    secret: bool = False
