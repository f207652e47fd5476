"""All settings, each with its name, type, default, unit and help."""

from __future__ import annotations

from . import vendors
from .parsers import (
    bind,
    count,
    database_url,
    edges,
    hosts,
    level,
    port,
    seconds,
    site_url,
    size,
    switch,
    text,
    tristate,
    whole,
)
from .setting import Setting

SETTINGS = (
    Setting(
        name="INSTANCE",
        parser=text,
        default="instance",
        help="The folder of this installation's data: the SQLite database, the secret key, "
        "the gateway's store. Relative to the project's folder unless absolute.",
    ),
    Setting(
        name="SECRET_KEY",
        parser=text,
        default="",
        secret=True,
        platform="SECRET_KEY",
        help="Signs sessions and tokens. Generated and stored in the instance folder when empty.",
    ),
    Setting(
        name="DATABASE_URL",
        parser=database_url,
        default="sqlite:///broadsheet.db",
        secret=True,
        platform="DATABASE_URL",
        help="The database: sqlite:///name (in the instance folder) or postgresql://….",
    ),
    Setting(
        name="SITE_URL",
        parser=site_url,
        default="",
        platform="SITE_URL",
        help="Where readers find the site; feeds and canonical links use it. "
        "http://127.0.0.1 with FLASK_PORT, or 8000, when empty; a PORT that a platform sets "
        "does not change it.",
    ),
    Setting(
        name="PORT",
        parser=port,
        default="8000",
        platform="PORT",
        help="The port that the server listens on.",
    ),
    Setting(
        name="BIND",
        parser=bind,
        default="",
        help="The address that the server listens on. When empty: 127.0.0.1, "
        "or every interface when a platform sets PORT.",
    ),
    Setting(
        name="WEB_CONCURRENCY",
        parser=count,
        default="2",
        unit="processes",
        platform="WEB_CONCURRENCY",
        help="How many worker processes serve requests.",
    ),
    Setting(
        name="WEB_THREADS",
        parser=count,
        default="4",
        unit="threads",
        help="How many requests one worker process serves at a time.",
    ),
    Setting(
        name="PROXIES",
        parser=whole,
        default="0",
        unit="proxies",
        help="How many trusted proxies are in front of the app; "
        "their X-Forwarded-For and -Proto are used.",
    ),
    Setting(
        name="TRUSTED_HOSTS",
        parser=hosts,
        default="",
        help="The Host names that are answered besides that of SITE_URL, separated by commas; "
        "every one when empty.",
    ),
    Setting(
        name="HSTS_INCLUDE_SUBDOMAINS",
        parser=switch,
        default="off",
        help="Whether Strict-Transport-Security also holds for every subdomain of the site's host. "
        "Switch it on only when all of them are served over HTTPS.",
    ),
    Setting(
        name="LOG_LEVEL",
        parser=level,
        default="info",
        help="How much is logged: debug, info, warning or error.",
    ),
    Setting(
        name="EDGE",
        parser=edges,
        default="generic",
        help="The edges in front, separated by commas: "
        "cloudflare, fastly, cloudfront, bunny, varnish, nginx or generic; none for none.",
    ),
    Setting(
        name="EDGE_GATEWAY",
        parser=switch,
        default="on",
        help="The edge cache inside the web process.",
    ),
    Setting(
        name="EDGE_STORE",
        parser=text,
        default="edge-store",
        help="The folder of the gateway's store; below the instance folder unless absolute.",
    ),
    Setting(
        name="EDGE_STORE_SIZE",
        parser=size,
        default="256MB",
        unit="bytes",
        help="How large the gateway's store may become.",
    ),
    Setting(
        name="EDGE_STORE_ENTRY",
        parser=size,
        default="8MB",
        unit="bytes",
        help="The largest response that the gateway stores.",
    ),
    Setting(
        name="EDGE_BUILD",
        parser=text,
        default="edge-build",
        help="The folder of compressed static files; below the instance folder unless absolute.",
    ),
    Setting(
        name="EDGE_TTL_CAP",
        parser=seconds,
        default="60s",
        unit="seconds",
        help="The longest time that an edge which cannot be purged may keep a page.",
    ),
    Setting(
        name="EDGE_VARY",
        parser=text,
        default="",
        help="The request fields, separated by commas, by which Cloudflare or CloudFront keeps "
        "variants apart, as `flask edge config` sets it up; what varies on others is not stored "
        "there.",
    ),
    Setting(
        name="EDGE_INDEX_PAGES",
        parser=whole,
        default="250000",
        unit="pages",
        help="How many pages the index takes; errors, redirects and searches have room for a tenth "
        "as many each, beside the pages; what is over is not shared.",
    ),
    Setting(
        name="EDGE_REFILL",
        parser=switch,
        default="on",
        help="Whether the gateway renders its most visited pages again after a purge, "
        "before the next reader asks.",
    ),
    Setting(
        name="EDGE_RELAY",
        parser=switch,
        default="on",
        help="Whether a web process delivers purges to the edges; "
        "off where `flask edge relay` runs on its own: "
        "then it delivers only while no relay is alive.",
    ),
    Setting(
        name="EDGE_SAMPLE_EVERY",
        parser=seconds,
        default="60s",
        unit="seconds",
        help="How often the relay compares a page at SITE_URL with a fresh one, "
        "where an edge in front is purged; 0 for never.",
    ),
    Setting(
        name="EDGE_STRICT",
        parser=tristate,
        default="auto",
        help="Raise when a shared response would leak: on, off, "
        "or auto (in development and tests).",
    ),
    *vendors.SETTINGS,
)

BY_NAME = {setting.name: setting for setting in SETTINGS}
"""The settings by name."""
