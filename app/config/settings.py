"""All settings, each with its name, type, default, unit and help.

`app/edge/settings.py` declares those of the caching library.
"""

from __future__ import annotations

from . import edge_settings
from .parsers import (
    bind,
    count,
    database_url,
    hosts,
    level,
    port,
    site_url,
    size,
    switch,
    text,
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
        name="FILE_SIZE",
        parser=size,
        default="20MB",
        unit="bytes",
        help="The largest linked file (PDF, audio, video, archive) that an import stores; "
        "the report names larger ones.",
    ),
    Setting(
        name="THEME_FOLDER",
        parser=text,
        default="theme",
        help="The folder of templates and static files that win over those of the project, "
        "if it exists. Relative to the project's folder unless absolute.",
    ),
    *edge_settings.SETTINGS,
)

BY_NAME = {setting.name: setting for setting in SETTINGS}
"""The settings by name."""
