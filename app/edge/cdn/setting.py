"""The declaration of one setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One configuration key; if `default` is None, the help says what happens without a value.

    `help` is one or more full sentences. `secret`: its value is never shown.
    """

    name: str
    type: type
    default: str | int | bool | None
    unit: str = ""
    help: str
    secret: bool = False
