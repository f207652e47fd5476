"""The settings of the edge in an app's configuration: name, default, unit and help."""

from __future__ import annotations

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
        help="the edges in front, separated by commas: cloudflare, fastly, cloudfront, bunny, "
        "varnish, nginx, generic; empty for none",
    ),
    Setting(
        name="EDGE_GATEWAY",
        type=str,
        default="on",
        help="on or off: the cache in the server process",
    ),
    Setting(
        name="EDGE_STORE",
        type=str,
        default=None,
        unit="folder",
        help="where the gateway stores pages; default: edge-store in the instance folder",
    ),
    Setting(
        name="EDGE_STORE_SIZE",
        type=int,
        default=256 * 1024 * 1024,
        unit="bytes",
        help="the maximum size of the gateway's store; beyond it, pages are evicted",
    ),
    Setting(
        name="EDGE_STORE_ENTRY",
        type=int,
        default=4 * 1024 * 1024,
        unit="bytes",
        help="the largest single response that the gateway stores",
    ),
    Setting(
        name="EDGE_BUILD",
        type=str,
        default=None,
        unit="folder",
        help="where compressed static files are stored; default: edge-build in the instance folder",
    ),
    Setting(
        name="EDGE_TTL_CAP",
        type=int,
        default=60,
        unit="seconds",
        help="the maximum TTL of a page at an edge that can't be purged",
    ),
    Setting(
        name="EDGE_VARY",
        type=str,
        default="",
        help="the request fields, separated by commas, by which Cloudflare or CloudFront separates "
        "variants, as configured by `flask edge config`; pages that vary on other fields are not "
        "stored there",
    ),
    Setting(
        name="EDGE_INDEX_PAGES",
        type=int,
        default=250_000,
        unit="pages",
        help="the maximum number of pages in the index; in addition, it takes a tenth as many "
        "errors, redirects and searches each; further responses are not shared",
    ),
    Setting(
        name="EDGE_REFILL",
        type=bool,
        default=True,
        help="whether the gateway's most requested pages are rendered again after a purge, before "
        "the next request",
    ),
    Setting(
        name="EDGE_RELAY",
        type=bool,
        default=True,
        help="whether a web process delivers purges to the edges; false if `flask edge relay` runs "
        "as a separate process: then web processes deliver only while no relay is alive",
    ),
    Setting(
        name="EDGE_SAMPLE_EVERY",
        type=int,
        default=60,
        unit="seconds",
        help="how often the relay compares a page at the public edge with a fresh one, if an edge "
        "in front is purged; 0 for never",
    ),
    Setting(
        name="EDGE_STRICT",
        type=bool,
        default=None,
        help="true: a leak raises an exception; false: the response becomes no-store and the leak "
        "is logged; default: true in debug mode and in tests",
    ),
    *CDN_SETTINGS,
)


def read_number(config: Mapping[str, object], name: str) -> int:
    """Read a numeric setting; raises SettingError for an invalid value."""
    value = config[name]
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        unit = next(setting.unit for setting in SETTINGS if setting.name == name)
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
