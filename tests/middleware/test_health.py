from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import config, create_app
from app.extensions import db


@pytest.fixture
def strict(tmp_path: Path) -> FlaskClient:
    """A client of a site that answers under one name, without a database."""
    settings = {"TRUSTED_HOSTS": ["example.com"], "EDGE_RELAY": False}
    away = "sqlite:////dev/null/a.db"
    own = {"INSTANCE": str(tmp_path), "SECRET_KEY": "x", "DATABASE_URL": away}
    return create_app({**own, **settings}).test_client()


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "EXAMPLE.com", "a b", ""])
def test_the_process_is_live_under_any_name_and_without_a_database(
    strict: FlaskClient, host: str
) -> None:
    """A health check asks by address, and must not restart us because the database is away."""
    answer = strict.get("/healthz", headers={"Host": host})
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_an_app_over_a_migrated_database_is_ready(any_app: Flask) -> None:
    """It can serve."""
    answer = any_app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_without_its_database_it_is_not_ready(strict: FlaskClient) -> None:
    """The reason is said to everybody, the address to nobody."""
    answer = strict.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "unready", "reason": "The database can't be reached."}


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM alembic_version", "The database has no tables yet, this code needs"),
        ("UPDATE alembic_version SET version_num = '0001'", "The database is at migration 0001"),
        ("UPDATE alembic_version SET version_num = '9999'", "upgraded by a newer release"),
    ],
    ids=["empty", "behind", "ahead"],
)
def test_with_another_schema_it_is_not_ready(any_app: Flask, statement: str, reason: str) -> None:
    """The reason says what to do."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    answer = any_app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert reason in answer.get_json()["reason"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_answer_is_never_stored(client: FlaskClient, path: str, method: str) -> None:
    """Whatever was asked."""
    answer = client.open(path, method=method)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_other_methods_are_refused(client: FlaskClient, path: str) -> None:
    """The answer says which ones there are."""
    answer = client.post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_no_body(client: FlaskClient) -> None:
    """It has the length that GET would have."""
    answer = client.head("/healthz")
    assert (answer.data, answer.headers["Content-Length"]) == (b"", "17")


def test_a_site_without_an_address_on_a_platform_is_degraded(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It serves, and says what its links lead to and what to set."""
    problem = config.load({"PORT": "9000"})["SITE_URL_PROBLEM"]
    monkeypatch.setitem(app.config, "SITE_URL_PROBLEM", problem)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "degraded", "reason": problem})
    assert "SITE_URL is not set" in problem


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_starts_the_background_work_of_the_process(
    client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a site without readers, probes are the only requests."""
    apps: list[Flask] = []
    monkeypatch.setattr("app.extensions.edge.rouse", apps.append)
    client.get(path)
    assert apps == [client.application]
