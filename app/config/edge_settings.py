"""The settings of the caching library, generated from the table in `app/edge/settings.py`.

The library declares names, types, defaults, units and help texts. This module adds how each
setting is written in an environment variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.edge import settings as library
from app.edge.cdn.setting import Setting as LibrarySetting

from .parsers import edges, seconds, size, switch, text, tristate, whole
from .setting import Setting

_DEFAULTS = {"EDGE": "generic", "EDGE_GATEWAY": "on"}
"""Defaults of this app: any shared cache in front may store its pages, and it has a gateway."""

_PLATFORM = {
    "EDGE_CLOUDFRONT_KEY": "AWS_ACCESS_KEY_ID",
    "EDGE_CLOUDFRONT_SECRET": "AWS_SECRET_ACCESS_KEY",
    "EDGE_CLOUDFRONT_SESSION": "AWS_SESSION_TOKEN",
}
"""The variables from which the tools of AWS read the same values."""

_PARSERS_BY_NAME = {"EDGE": edges}
_PARSERS_BY_UNIT = {"bytes": size, "seconds": seconds}


def make_setting(setting: LibrarySetting) -> Setting:
    """Return the app's setting for a setting of the library."""
    return Setting(
        name=setting.name,
        parser=choose_parser(setting),
        default=_DEFAULTS.get(setting.name, format_default(setting)),
        unit=setting.unit,
        help=setting.help,
        secret=setting.secret,
        platform=_PLATFORM.get(setting.name, ""),
    )


def choose_parser(setting: LibrarySetting) -> Callable[[str], Any]:
    """Return the parser of a setting's text, by its name, type and unit."""
    if setting.name in _PARSERS_BY_NAME:
        return _PARSERS_BY_NAME[setting.name]
    if setting.type is bool:
        return tristate if setting.default is None else switch
    if setting.type is int:
        return _PARSERS_BY_UNIT.get(setting.unit, whole)
    return text


def format_default(setting: LibrarySetting) -> str:
    """Return a default as it is written in an environment variable: 256MB, 60s, on."""
    default = setting.default
    if default is None:
        return "auto" if setting.type is bool else ""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, int):
        return _format_number(default, setting.unit)
    return default


def _format_number(number: int, unit: str) -> str:
    if unit == "seconds":
        return f"{number}s"
    if unit == "bytes" and number % 2**20 == 0:
        return f"{number // 2**20}MB"
    return str(number)


SETTINGS = tuple(make_setting(setting) for setting in library.SETTINGS)
"""The settings of the library, as this app reads them."""
