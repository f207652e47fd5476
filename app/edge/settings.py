"""The settings that the edge reads from an app's configuration: name, default, unit and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cdn.setting import Setting
from .cdn.settings import CDN_SETTINGS
from .policy.policy import PolicyError, field_names

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
        help="on or off: the cache inside the server's own process",
    ),
    Setting(
        name="EDGE_STORE",
        type=str,
        default=None,
        unit="folder",
        help="where the gateway keeps pages; without it, edge-store in the instance folder",
    ),
    Setting(
        name="EDGE_STORE_SIZE",
        type=int,
        default=256 * 1024 * 1024,
        unit="bytes",
        help="how much the gateway keeps before it evicts",
    ),
    Setting(
        name="EDGE_STORE_ENTRY",
        type=int,
        default=4 * 1024 * 1024,
        unit="bytes",
        help="the largest single response that the gateway keeps",
    ),
    Setting(
        name="EDGE_BUILD",
        type=str,
        default=None,
        unit="folder",
        help="where compressed static files are kept; without it, edge-build in the instance "
        "folder",
    ),
    Setting(
        name="EDGE_TTL_CAP",
        type=int,
        default=60,
        unit="seconds",
        help="the longest time that an edge which can't be purged may keep a page",
    ),
    Setting(
        name="EDGE_VARY",
        type=str,
        default="",
        help="the request fields, separated by commas, by which Cloudflare or CloudFront keeps "
        "variants apart, as `flask edge config` sets it up; what varies on others is not stored "
        "there",
    ),
    Setting(
        name="EDGE_INDEX_PAGES",
        type=int,
        default=250_000,
        unit="pages",
        help="how many pages the index takes; errors, redirects and searches have room for a tenth "
        "as many each, beside the pages; what is over is not shared",
    ),
    Setting(
        name="EDGE_REFILL",
        type=bool,
        default=True,
        help="whether the gateway's most visited pages are made anew after a purge, before the "
        "next reader asks",
    ),
    Setting(
        name="EDGE_RELAY",
        type=bool,
        default=True,
        help="whether a web process relays changes to the edges; false where "
        "`flask edge relay` does it apart: then it delivers only while no relay is alive",
    ),
    Setting(
        name="EDGE_SAMPLE_EVERY",
        type=int,
        default=60,
        unit="seconds",
        help="how often the relay compares a page at the public edge with a fresh one, where an "
        "edge in front is purged; 0 for never",
    ),
    Setting(
        name="EDGE_STRICT",
        type=bool,
        default=None,
        help="true: a leak raises; false: it becomes no-store and is logged; without it, true in "
        "debug mode and in tests",
    ),
    *CDN_SETTINGS,
)


def read_number(config: Mapping[str, object], name: str) -> int:
    """Read a setting that counts something, or say what is wrong with it."""
    value = config[name]
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        unit = next(setting.unit for setting in SETTINGS if setting.name == name)
        raise PolicyError(f"{name} is {value!r}: give a number of {unit}, zero or more.")
    return value


def varied_fields(config: Mapping[str, object]) -> tuple[str, ...]:
    """Read EDGE_VARY: the request fields by which an edge is configured to keep variants apart."""
    names = field_names(str(config.get("EDGE_VARY") or "") or False, argument="EDGE_VARY") or ()
    fields = names if isinstance(names, tuple) else ()
    for name in {"*", "Authorization", "Cookie"}.intersection(fields):
        raise PolicyError(f"EDGE_VARY names {name}: what varies on that is one reader's own.")
    return fields


def read_optional_bool(config: Mapping[str, object], name: str) -> bool | None:
    """Read a setting that is true, false or not there, or say what is wrong with it."""
    value = config[name]
    if value is not None and not isinstance(value, bool):
        raise PolicyError(f"{name} is {value!r}: say true or false.")
    return value
