"""Broadsheet: a publishing app that is made to run behind a CDN."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import orm

from . import (
    api,
    audit_profile,
    backups,
    config,
    database,
    error_handlers,
    extensions,
    lazy_sessions,
    logs,
    middleware,
    private_paths,
    routing,
    site,
    studio,
    theme_folder,
)
from .config import cli
from .edge.policy.policy import PolicyError, SettingError
from .publishing import cli as content
from .publishing import models  # noqa: F401 - migrations compare the database with them
from .publishing.actions import index_queue, publish_due, queue_outdated
from .publishing.permissions import SYSTEM
from .publishing.queries import scheduled
from .watched_tables import SCHEMA, WATCHED

__all__ = ["create_app"]


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the app from the environment's settings; `overrides` are typed values that win."""
    app = Flask(
        __name__,
        instance_path=str(config.instance_folder(os.environ, overrides)),
        static_folder=str(config.ROOT / "static"),
        template_folder=str(config.ROOT / "templates"),
    )
    config.reject_unknown_variables(os.environ)
    app.config.from_prefixed_env()
    config.configure(app, os.environ, overrides)
    app.session_interface = lazy_sessions.LazySessionInterface()
    logs.init_app(app)
    init_database(app)
    try:
        init_edge(app)
    except SettingError as error:  # the library refuses settings that contradict each other
        raise config.ConfigError(error.explain(config.environment_variable)) from error
    except PolicyError as error:
        raise config.ConfigError(str(error)) from error
    routing.init_app(app)
    site.init_app(app)
    api.init_app(app)
    studio.init_app(app)
    error_handlers.init_app(app)
    cli.init_app(app)
    backups.init_app(app)
    content.init_app(app)
    middleware.install(app)
    return app


def init_database(app: Flask) -> None:
    """Set up the database and its migrations."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(app.config["DATABASE_URL"])
    extensions.db.init_app(app)
    with app.app_context():
        database.listen(extensions.db.engine)
        if not app.testing:
            database.copies.remove_log_at_exit(extensions.db.engine)
    orm.configure_mappers()
    extensions.alembic.init_app(app)


def init_edge(app: Flask) -> None:
    """Set up the caching library, and record what pages are built from."""
    # Not `from .extensions import edge`: the package app.edge would be hidden behind it.
    edge = extensions.edge
    theme_folder.init_app(app)
    gateway = {
        "site": app.config["SITE_URL"],
        # In debug mode, templates and code change while the process runs.
        "bypasses": lambda path: app.debug or private_paths.is_private(path),
    }
    edge.init_app(app, static_overrides=theme_folder.static_overrides(app), gateway=gateway)
    with app.app_context():
        edge.track(
            app,
            extensions.db.engine,
            WATCHED,
            SCHEMA,
            site=app.config["SITE_URL"],
            settings=("SITE_URL", "EDGE_STORE_ENTRY"),
            hooks=(make_publish_hook(app), make_index_hook(app)),
            unavailable=error_handlers.unavailable(app),
        )
    profile = audit_profile.site_profile(
        app.config["SITE_URL"],
        include_subdomains=app.config["HSTS_INCLUDE_SUBDOMAINS"],
        problem=app.config["SITE_URL_PROBLEM"],
    )
    edge.describe(app, profile, find_problems=partial(theme_folder.find_problems, app))


def make_publish_hook(app: Flask) -> Callable[[datetime], datetime | None]:
    """Return the hook that the relay calls to publish scheduled posts when they are due."""

    def publish(now: datetime) -> datetime | None:
        with app.app_context():
            publish_due(now, actor=SYSTEM)
            return scheduled.next_due()

    return publish


def make_index_hook(app: Flask) -> Callable[[datetime], datetime | None]:
    """Return the hook that the relay calls to index posts that were changed by SQL for search.

    Its first call also indexes what a release with another analysis of words has left.
    """
    is_checked = False

    def index(now: datetime) -> datetime | None:
        nonlocal is_checked
        with app.app_context():
            if not is_checked:
                queue_outdated(actor=SYSTEM)
                is_checked = True
            return now if index_queue(actor=SYSTEM) else None

    return index
