"""Broadsheet: a publishing app, made to live behind a CDN."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import orm

from . import (
    api,
    backups,
    cli,
    config,
    database,
    errors,
    extensions,
    forwarded,
    health,
    hosts,
    ours,
    routing,
    security,
    sessions,
    site,
)
from .edge.policy import PolicyError
from .edge.spelling import Spelling
from .publishing import cli as content
from .publishing import models  # noqa: F401 - migrations compare the database with them
from .publishing.actions import publish_due
from .publishing.queries import scheduled
from .watched import SCHEMA, WATCHED

__all__ = ["create_app"]

_SETTING = re.compile(r"\bEDGE\b|\bEDGE_[A-Z_]+")
"""The library's own name of a setting, which the environment knows with a prefix."""


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the app from the environment's settings; `overrides` are typed values that win."""
    app = Flask(
        __name__,
        instance_path=str(config.instance_folder(os.environ, overrides)),
        static_folder=str(config.ROOT / "static"),
        template_folder=str(config.ROOT / "templates"),
    )
    config.configure(app, os.environ, overrides)
    app.session_interface = sessions.Sessions()
    logging.getLogger("app").setLevel(app.config["LOG_LEVEL"].upper())
    connect_database(app)
    try:
        connect_edge(app)
    except PolicyError as error:  # what the library makes of settings that don't go together
        raise config.ConfigError(_SETTING.sub(r"FLASK_\g<0>", str(error))) from error
    routing.init_app(app)
    site.init_app(app)
    api.init_app(app)
    errors.init_app(app)
    cli.init_app(app)
    backups.init_app(app)
    content.init_app(app)
    put_in_front(app)
    return app


def connect_database(app: Flask) -> None:
    """Wire the database and its migrations."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(app.config["DATABASE_URL"])
    extensions.db.init_app(app)
    with app.app_context():
        database.listen(extensions.db.engine)
        if not app.testing:
            database.copies.remove_log_at_exit(extensions.db.engine)
    orm.configure_mappers()
    extensions.alembic.init_app(app)


def put_in_front(app: Flask) -> None:
    """What stands in front of the app and its gateway; the last one is asked first."""
    wsgi: Any = hosts.TrustedHosts(Spelling(app.wsgi_app), app.config["TRUSTED_HOSTS"])
    wsgi = health.Health(wsgi, app)
    if proxies := app.config["PROXIES"]:
        wsgi = forwarded.Forwarded(wsgi, proxies)
    app.wsgi_app = security.SecurityHeaders(wsgi)  # type: ignore[method-assign] # as Flask documents


def connect_edge(app: Flask) -> None:
    """Wire the caching library, and let it follow what pages are built from."""
    # Not `from .extensions import edge`: the package app.edge would be hidden behind it.
    edge = extensions.edge
    edge.init_app(app, gateway={"site": app.config["SITE_URL"]})
    with app.app_context():
        edge.track(
            app,
            extensions.db.engine,
            WATCHED,
            SCHEMA,
            site=app.config["SITE_URL"],
            settings=("SITE_URL", "EDGE_STORE_ENTRY"),
            hooks=(publish_on_time(app),),
            unavailable=errors.unavailable(app),
        )
    edge.describe(app, ours.ours(app.config["SITE_URL"], problem=app.config["SITE_URL_PROBLEM"]))


def publish_on_time(app: Flask) -> Callable[[datetime], datetime | None]:
    """What the relay calls to publish scheduled posts in the second they are due."""

    def publish(now: datetime) -> datetime | None:
        with app.app_context():
            publish_due(now)
            return scheduled.next_due()

    return publish
