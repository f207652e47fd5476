"""One setting, and the error for a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


class ConfigError(click.ClickException):
    """A setting is unknown or malformed; the message names it and says what is expected."""


def environment_variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"FLASK_{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `parser` converts its text, or raises ValueError that says what is expected."""

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
        own = environment_variable(self.name)
        return (own, self.platform) if self.platform else (own,)

    @property
    def type(self) -> str:
        """The type of its value, in one word."""
        return self.parser.__name__.replace("_", " ")

    def parse(self, raw: str, *, source: str) -> Any:
        """Convert the text of a setting; raises ConfigError, which names its `source`."""
        try:
            return self.parser(raw)
        except ValueError as error:
            displayed = "its value" if self.secret else repr(raw)
            raise ConfigError(f"{source}: {displayed} is not {error}.") from None
