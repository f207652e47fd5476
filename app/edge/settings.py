"""The settings that the edge reads from an app's configuration: name, default, unit and help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One configuration key; `default` None means that the help says what happens."""

    name: str
    type: type
    default: str | int | bool | None
    unit: str = ""
    help: str


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
        name="EDGE_STRICT",
        type=bool,
        default=None,
        help="true: a leak raises; false: it becomes no-store and is logged; without it, true in "
        "debug mode and in tests",
    ),
)
