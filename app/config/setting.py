"""One setting, and the error that a wrong one ends the start with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


class ConfigError(click.ClickException):
    """A setting is unknown or malformed; the message names it and says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `parser` makes its value from text, or says in a ValueError what is right."""

    name: str
    parser: Callable[[str], Any]
    default: str
    help: str
    unit: str = ""
    secret: bool = False
    platform: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that set it, in order of precedence."""
        own = f"FLASK_{self.name}"
        return (own, self.platform) if self.platform else (own,)

    @property
    def type(self) -> str:
        """What kind of value it takes, in a word."""
        return self.parser.__name__.replace("_", " ")

    def parse(self, raw: str, *, source: str) -> Any:
        """The value of a text, or a ConfigError that names who said it."""
        try:
            return self.parser(raw)
        except ValueError as error:
            displayed = "its value" if self.secret else repr(raw)
            raise ConfigError(f"{source}: {displayed} is not {error}.") from None
