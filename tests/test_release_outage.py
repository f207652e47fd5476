"""A release, and a purge of everything, while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.edge.flask.deploy import joined_tiers, purge_everything, release
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db

from .site import content


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A released site with a gateway that holds an article."""
    app = make_app(EDGE_GATEWAY=True)
    content.post("Lanterns")
    release(app)
    db.session.remove()
    client = app.test_client()
    client.get("/articles/lanterns")
    db.session.remove()
    assert_hit(client.get("/articles/lanterns"))
    return app


def rename_tables(app: Flask, old: str, new: str) -> None:
    """Rename the change log and the tiers, so that every transaction of the edge fails."""
    path = Path(app.config["INSTANCE"]) / "broadsheet.db"
    assert path.exists()
    with db.engine.begin() as connection:
        for table in ("edge_change", "edge_tier"):
            connection.exec_driver_sql(f"ALTER TABLE {old}{table} RENAME TO {new}{table}")


def test_a_release_without_its_tables_fails_and_can_be_repeated(app: Flask) -> None:
    """The command reports the error, and the next release does what the first one could not."""
    app.extensions["edge"].tracker.parts.reset()
    rename_tables(app, "", "away_")
    with pytest.raises(DBAPIError):
        release(app)
    result = app.test_cli_runner().invoke(args=["edge", "release"])
    assert result.exit_code != 0
    assert not isinstance(result.exception, DBAPIError)
    assert joined_tiers(app) == []
    rename_tables(app, "away_", "")
    release(app)
    assert app.test_cli_runner().invoke(args=["edge", "release"]).exit_code == 0


def test_a_purge_of_everything_without_a_database_empties_the_own_gateway(app: Flask) -> None:
    """Other tiers can't be reached, but this process serves nothing old."""
    rename_tables(app, "", "away_")
    purge_everything(app)
    rename_tables(app, "away_", "")
    assert_miss(app.test_client().get("/articles/lanterns"))
