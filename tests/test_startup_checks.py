from __future__ import annotations

import json
import re
import socket
import sqlite3
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from app import config, startup_checks

from .depth import choose_cases
from .live.gunicorn import Serve, environment, flask, gunicorn
from .live.programs import ROOT, free_port, running, running_python


@pytest.mark.parametrize(
    ("environ", "public", "address"),
    [
        ({}, False, "127.0.0.1:8000"),
        ({}, True, "0.0.0.0:8000"),
        ({"PORT": "9000"}, True, "0.0.0.0:9000"),
        ({"PORT": "9000", "FLASK_BIND": "127.0.0.1"}, True, "127.0.0.1:9000"),
        ({"FLASK_BIND": "::1"}, False, "[::1]:8000"),
        ({"FLASK_BIND": "unix:/run/a.sock"}, True, "unix:/run/a.sock"),
    ],
)
def test_a_server_listens_where_it_is_told(
    environ: dict[str, str], *, public: bool, address: str
) -> None:
    """A platform's port is open to the outside; otherwise only this machine gets in."""
    assert startup_checks.address(config.load(environ), public=public) == address


def test_a_free_port_passes() -> None:
    """And is free afterwards."""
    port = free_port()
    startup_checks.check_port("127.0.0.1", port)
    startup_checks.check_port("127.0.0.1", port)


def test_a_port_in_use_is_named() -> None:
    """With another one to try."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(
            startup_checks.StartupError, match=rf"Port {port} .* in use: .*PORT=\d+\."
        ):
            startup_checks.check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    """The sentence names the setting."""
    with pytest.raises(
        startup_checks.StartupError, match=r"192\.0\.2\.1 is no address .*FLASK_BIND"
    ):
        startup_checks.check_port("192.0.2.1", free_port())


WRONG = [
    (
        {"FLASK_WEB_CONCURRENCY": "no"},
        "FLASK_WEB_CONCURRENCY: 'no' is not a whole number from 1 to 9999.",
    ),
    ({"FLASK_PROXES": "1"}, "did you mean FLASK_PROXIES?"),
    ({"DATABASE_URL": "postgres://u:hidden@127.0.0.1:1/n"}, "can't be reached"),
    ({"DATABASE_URL": "sqlite:////dev/null/a.db"}, "The database file can't be opened"),
    (
        {"FLASK_EDGE_CLOUDFLARE_TOKEN": "hidden", "FLASK_EDGE": "cloudflare"},
        "FLASK_EDGE_CLOUDFLARE_TOKEN is set, but FLASK_EDGE_CLOUDFLARE_ZONE is not",
    ),
    ({"FLASK_INSTANCE": "/dev/null/instance"}, "instance folder /dev/null/instance can't be"),
]


def wrong(start: int) -> pytest.MarkDecorator:
    """Give a test all wrong settings in CI, and every third one by default."""
    cases = choose_cases(WRONG, start)
    ids = [next(iter(settings)) for settings, _ in cases]
    return pytest.mark.parametrize(("settings", "sentence"), cases, ids=ids)


def error_line(stderr: str) -> str:
    """The one sentence that a failed start says."""
    lines = [line for line in stderr.splitlines() if "[INFO] Starting gunicorn" not in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    return lines[0]


@pytest.mark.slow
@wrong(start=0)
def test_a_server_that_cannot_work_ends_in_one_sentence(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    """Without a traceback, and before there is a worker."""
    ended = gunicorn(instance=tmp_path, settings={"FLASK_PORT": str(free_port()), **settings})
    assert ended.returncode == 1
    assert sentence in error_line(ended.stderr)
    assert "hidden" not in ended.stderr


@pytest.mark.slow
@wrong(start=1)
def test_a_command_that_cannot_work_ends_in_one_sentence(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    """As the server does."""
    ended = flask("db", "upgrade", instance=tmp_path, settings=settings)
    assert ended.returncode == 1
    assert sentence in error_line(ended.stderr)
    assert "hidden" not in ended.stderr


@pytest.mark.slow
def test_a_server_over_another_schema_does_not_start(tmp_path: Path) -> None:
    """First there are no tables, then a newer release's."""
    settings = {"FLASK_PORT": str(free_port())}
    ended = gunicorn(instance=tmp_path, settings=settings)
    assert "has no tables yet" in error_line(ended.stderr)
    assert "run `flask db upgrade`" in error_line(ended.stderr)
    assert flask("db", "upgrade", instance=tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "broadsheet.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    ended = gunicorn(instance=tmp_path, settings=settings)
    assert "Deploy that release, or restore a backup." in error_line(ended.stderr)
    ended = flask("db", "upgrade", instance=tmp_path)
    assert "Deploy that release, or restore a backup." in error_line(ended.stderr)


@pytest.mark.slow
def test_a_server_on_a_port_in_use_does_not_start(tmp_path: Path) -> None:
    """It does not try again and again."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        ended = gunicorn(instance=tmp_path, settings={"FLASK_PORT": port})
    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in error_line(ended.stderr)


def test_help_and_settings_need_no_database(tmp_path: Path) -> None:
    """Whoever looks for the mistake must be able to look."""
    away = {"DATABASE_URL": "postgres://u@127.0.0.1:1/n"}
    assert "config" in flask("--help", instance=tmp_path, settings=away).stdout
    assert "127.0.0.1:1/n" in flask("config", instance=tmp_path, settings=away).stdout


@pytest.mark.live
def test_flask_run_listens_on_the_port_of_the_platform(tmp_path: Path) -> None:
    """`.flaskenv` hands PORT on; Flask itself knows it only as FLASK_RUN_PORT."""
    port = free_port()
    settings = {"PORT": str(port), "FLASK_SKIP_DOTENV": "0"}
    with running(
        [sys.executable, "-m", "flask", "run"],
        port=port,
        log=tmp_path / "log",
        env=environment(tmp_path, settings),
    ) as started:
        assert json.load(urllib.request.urlopen(f"{started.url}/healthz")) == {"status": "ok"}


@pytest.mark.live
def test_a_server_reads_the_environment_file(tmp_path: Path) -> None:
    """`.env` is read before the settings, as `flask` does, and the environment wins over it."""
    port = free_port()
    (tmp_path / ".env").write_text(f"FLASK_PORT={port}\nWEB_CONCURRENCY=9\n")
    settings = {"FLASK_SKIP_DOTENV": "0", "WEB_CONCURRENCY": "1", "FLASK_INSTANCE": str(tmp_path)}
    assert flask("db", "upgrade", instance=tmp_path).returncode == 0
    with running(
        [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"],
        port=port,
        log=tmp_path / "log",
        env={**environment(tmp_path, settings), "PYTHONPATH": str(ROOT)},
        folder=tmp_path,
    ) as started:
        assert json.load(urllib.request.urlopen(f"{started.url}/readyz")) == {"status": "ok"}
        assert started.log.read_text().count("Booting worker") == 1


@pytest.mark.live
@pytest.mark.parametrize("server", ["gunicorn", "flask"])
def test_a_site_without_an_address_on_a_platform_says_so_at_its_start(
    server: str, tmp_path: Path
) -> None:
    """Once, in the log; its feed is the same under another PORT."""
    assert flask("db", "upgrade", instance=tmp_path).returncode == 0
    words = {"gunicorn": ("-m", "gunicorn", "wsgi:app"), "flask": ("-m", "flask", "run")}[server]
    feeds = []
    for _ in range(2):
        port = free_port()
        settings = {"PORT": str(port), "FLASK_RUN_PORT": str(port), "WEB_CONCURRENCY": "2"}
        with running_python(
            words,
            port=port,
            log=tmp_path / "log",
            env=environment(tmp_path, settings),
        ) as started:
            with urllib.request.urlopen(f"{started.url}/feed.json", timeout=10) as response:
                feeds.append(json.load(response))
            with urllib.request.urlopen(f"{started.url}/readyz", timeout=10) as response:
                assert json.load(response)["status"] == "degraded"
            assert started.log.read_text().count("site.url_missing: SITE_URL is not set") == 1
    assert feeds[0] == feeds[1]
    assert "http://127.0.0.1:8000" in json.dumps(feeds[0])


def test_the_start_log_has_the_set_up_link_until_there_is_an_owner(
    serve: Serve,
) -> None:
    """It is printed once a start, not once per worker; the link opens the form."""
    running_site = serve(WEB_CONCURRENCY="2")
    log = running_site.log.read_text()
    (path,) = re.findall(r"Make the first account at http://[^/]+(/studio/setup/\w+)", log)
    with urllib.request.urlopen(f"{running_site.url}{path}") as response:
        assert response.headers["Cache-Control"] == "private, no-store"
        assert b"Welcome" in response.read()


def test_with_an_owner_the_start_log_has_no_set_up_link(tmp_path: Path, serve: Serve) -> None:
    """The owner may come from the command line."""
    password = ("--password", "a password for tests")
    instance = tmp_path / "instance"
    instance.mkdir()
    database = f"sqlite:///{instance / 'broadsheet.db'}"
    settings = {"DATABASE_URL": database}
    assert flask("db", "upgrade", instance=instance, settings=settings).returncode == 0
    arguments = ("users", "add", "a@example.com", "--name", "A", "--role", "owner", *password)
    assert flask(*arguments, instance=instance, settings=settings).returncode == 0
    log = serve(**settings).log.read_text()
    assert "Broadsheet is at" in log
    assert "/studio/setup" not in log
