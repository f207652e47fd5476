"""The settings of the library: the only place that declares their defaults and help texts.

An app with a table of its own (environment variables, for example) generates it from `SETTINGS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .cdn.setting import Setting
from .cdn.settings import CDN_SETTINGS
from .policy.policy import PolicyError, SettingError, field_names

if TYPE_CHECKING:
    from collections.abc import Mapping


SETTINGS = (
    Setting(
        name="EDGE",
        type=str,
        default="",
        help="The edges in front, separated by commas: cloudflare, fastly, cloudfront, bunny, "
        "varnish, nginx, generic; none if there is no edge in front.",
    ),
    Setting(
        name="EDGE_GATEWAY",
        type=bool,
        default=None,
        help="Whether the cache in the server process is used: on, off, or auto, which means on if "
        "its packages (lmdb, brotli) are installed.",
    ),
    Setting(
        name="EDGE_STORE",
        type=str,
        default="edge-store",
        help="The folder of the gateway's store, below the instance folder unless absolute.",
    ),
    Setting(
        name="EDGE_STORE_SIZE",
        type=int,
        default=256 * 1024 * 1024,
        unit="bytes",
        help="The maximum size of the gateway's store; beyond it, pages are evicted.",
    ),
    Setting(
        name="EDGE_STORE_ENTRY",
        type=int,
        default=8 * 1024 * 1024,
        unit="bytes",
        help="The largest single response that the gateway stores.",
    ),
    Setting(
        name="EDGE_BUILD",
        type=str,
        default="edge-build",
        help="The folder of compressed static files, below the instance folder unless absolute.",
    ),
    Setting(
        name="EDGE_TTL_CAP",
        type=int,
        default=60,
        unit="seconds",
        help="The maximum TTL of a page at an edge that can't be purged.",
    ),
    Setting(
        name="EDGE_VARY",
        type=str,
        default="",
        help="The request fields, separated by commas, by which Cloudflare or CloudFront separates "
        "variants, as configured by `flask edge config`; pages that vary on other fields are "
        "not stored there.",
    ),
    Setting(
        name="EDGE_INDEX_PAGES",
        type=int,
        default=250_000,
        unit="pages",
        help="The maximum number of pages in the index. In addition, it takes a tenth as many "
        "errors, redirects and searches each. Further responses are not shared.",
    ),
    Setting(
        name="EDGE_REFILL",
        type=bool,
        default=True,
        help="Whether the gateway's most requested pages are rendered again after a purge, before "
        "the next request.",
    ),
    Setting(
        name="EDGE_RELAY",
        type=bool,
        default=True,
        help="Whether a web process delivers purges to the edges. Switch it off if `flask edge "
        "relay` runs as a separate process: then web processes deliver only while no relay is "
        "alive.",
    ),
    Setting(
        name="EDGE_SAMPLE_EVERY",
        type=int,
        default=60,
        unit="seconds",
        help="How often the relay compares a page at the public edge with a fresh one, if an edge "
        "in front is purged; 0 for never.",
    ),
    Setting(
        name="EDGE_STRICT",
        type=bool,
        default=None,
        help="Whether a leak raises an exception. If not, the response becomes no-store and the "
        "leak is logged. Not set (auto): it raises in debug mode and in tests.",
    ),
    *CDN_SETTINGS,
)


_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read_folder(config: Mapping[str, object], name: str, *, parent: str) -> Path:
    """Read a setting that names a folder; a relative path is below `parent`."""
    return Path(parent, str(config[name] or _BY_NAME[name].default))


def read_number(config: Mapping[str, object], name: str) -> int:
    """Read a numeric setting; raises SettingError for an invalid value."""
    value = config[name]
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        unit = _BY_NAME[name].unit
        raise SettingError(
            "{} is {value!r}: give a number of {unit}, zero or more.", name, value=value, unit=unit
        )
    return value


def varied_fields(config: Mapping[str, object]) -> tuple[str, ...]:
    """Read EDGE_VARY: the request fields by which an edge is configured to separate variants."""
    value = str(config.get("EDGE_VARY") or "")
    try:
        names = field_names(value or False, argument="it")
    except PolicyError as error:
        raise SettingError(
            "{} is {value!r}: {reason}", "EDGE_VARY", value=value, reason=error
        ) from None
    fields = names if isinstance(names, tuple) else ()
    for name in {"*", "Authorization", "Cookie"}.intersection(fields):
        raise SettingError(
            "{} contains {name}: responses that vary on it are private.", "EDGE_VARY", name=name
        )
    return fields


def read_optional_bool(config: Mapping[str, object], name: str) -> bool | None:
    """Read a setting that is true, false or None; raises SettingError for another value."""
    value = config[name]
    if value is not None and not isinstance(value, bool):
        raise SettingError("{} is {value!r}: set it to true or false.", name, value=value)
    return value
