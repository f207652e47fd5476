"""Broadsheet: a publishing app, made to live behind a CDN."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import orm

from . import api, cli, config, database, errors, routing, site
from .extensions import alembic, db, edge
from .publishing import models  # noqa: F401 - migrations compare the database with them

__all__ = ["create_app"]


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the app from the environment's settings; `overrides` are typed values that win."""
    instance = os.environ.get("FLASK_INSTANCE") or str(config.ROOT / "instance")
    app = Flask(
        __name__,
        instance_path=(overrides or {}).get("INSTANCE", instance),
        static_folder=str(config.ROOT / "static"),
        template_folder=str(config.ROOT / "templates"),
    )
    config.configure(app, os.environ, overrides)
    logging.getLogger("app").setLevel(app.config["LOG_LEVEL"].upper())
    connect_database(app)
    connect_edge(app)
    routing.init_app(app)
    site.init_app(app)
    api.init_app(app)
    errors.init_app(app)
    cli.init_app(app)
    return app


def connect_database(app: Flask) -> None:
    """Wire the database and its migrations."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(app.config["DATABASE_URL"])
    db.init_app(app)
    with app.app_context():
        database.listen(db.engine)
    orm.configure_mappers()
    alembic.init_app(app)


def connect_edge(app: Flask) -> None:
    """Wire the caching library with the settings that it reads."""
    strict = {"auto": None, "on": True, "off": False}
    app.config.from_mapping(
        EDGE=",".join(app.config["EDGE"]),
        EDGE_TTL_CAP=int(app.config["EDGE_TTL_CAP"].total_seconds()),
        EDGE_STRICT=strict[app.config["EDGE_STRICT"]],
    )
    edge.init_app(app)
