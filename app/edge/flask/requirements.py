"""The packages that a level of the library needs beside Flask."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..dependencies.sqlalchemy_version import is_too_old, untested_reason
from ..policy.policy import PolicyError, SettingError


class Extra(Enum):
    """An extra of the distribution; its value is the names of the modules that it installs."""

    GATEWAY = ("lmdb", "brotli")
    SQLALCHEMY = ("sqlalchemy",)
    CDN = ("httpx",)


def find_missing(extra: Extra) -> tuple[str, ...]:
    """Return the modules of an extra that are not installed. Imports none of them."""
    return tuple(name for name in extra.value if find_spec(name) is None)


def require(extra: Extra, purpose: str) -> None:
    """Check that an extra is installed, and that SQLAlchemy is not older than the tested versions.

    With a newer SQLAlchemy the app starts, but no response is shared, and the log states why.

    Raises:
        PolicyError: a package is missing or too old; the sentence names it and the remedy.
    """
    if missing := find_missing(extra):
        raise PolicyError(
            f"{purpose} needs {' and '.join(missing)}: install the extra [{extra.name.lower()}] "
            f"of this library (pip install 'flask-edgecache[{extra.name.lower()}]')."
        )
    if extra is Extra.SQLALCHEMY:
        current = str(import_module("sqlalchemy").__version__)
        if is_too_old(current):
            raise PolicyError(f"{purpose}: {untested_reason(current)}.")


def is_gateway_enabled(config: Mapping[str, Any]) -> bool:
    """Return whether the settings enable the gateway; `auto` (None): if its packages are there.

    Raises:
        SettingError: the setting has another value.
        PolicyError: the gateway is on, and a package that it needs is missing.
    """
    value = config["EDGE_GATEWAY"]
    if value not in (None, "auto", "on", "off") and not isinstance(value, bool):
        raise SettingError(
            "{} is {value!r}: set it to on, off or auto.", "EDGE_GATEWAY", value=value
        )
    if value in (None, "auto"):
        return not find_missing(Extra.GATEWAY)
    if value in (True, "on"):
        require(Extra.GATEWAY, "EDGE_GATEWAY=on")
        return True
    return False
