from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import config, create_app
from app.config import SETTINGS, ConfigError, Setting
from app.config.parsers import (
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
    tristate,
)
from app.edge.cdn.setting import Setting as LibrarySetting
from app.edge.settings import SETTINGS as EDGE_SETTINGS

MANUAL = config.ROOT / "docs" / "settings.md"
every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)


def build_app(folder: Path, monkeypatch: pytest.MonkeyPatch, **environ: str) -> Flask:
    """An app whose settings come from these variables."""
    for name, value in {"FLASK_INSTANCE": str(folder), **environ}.items():
        monkeypatch.setenv(name, value)
    return create_app()


@every_setting
def test_each_setting_says_in_a_sentence_what_it_does(setting: Setting) -> None:
    """The help begins with a capital and ends with a full stop."""
    assert re.fullmatch(r"[A-Z].+[.…]", setting.help)


@every_setting
def test_each_default_can_be_read(setting: Setting) -> None:
    """What the table says goes through the setting's own reader."""
    setting.parse(setting.default, source=setting.name)


@every_setting
def test_each_setting_stands_in_the_example_file(setting: Setting) -> None:
    """The example of an environment file has its help and its default, commented out."""
    example = (config.ROOT / ".env.example").read_text(encoding="utf-8")
    assert f"\n# {setting.help}\n# {setting.variables[-1]}={setting.default}\n" in example


@pytest.mark.parametrize("setting", EDGE_SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_of_the_library_has_one_default_and_one_help(setting: LibrarySetting) -> None:
    """The app reads the library's default from text; only EDGE and EDGE_GATEWAY have defaults of the app."""
    ours = config.BY_NAME[setting.name]
    assert (ours.help, ours.unit, ours.secret) == (setting.help, setting.unit, setting.secret)
    default = ours.parse(ours.default, source=setting.name)
    if setting.name == "EDGE":
        assert (default, setting.default) == ("generic", "")
    elif setting.name == "EDGE_GATEWAY":
        assert (default, setting.default) == (True, None)
    else:
        assert (type(default), default) == (type(setting.default), setting.default)


def test_the_manual_has_the_table_that_the_code_has() -> None:
    """`flask config --markdown` prints what the manual must say."""
    assert config.as_markdown() in MANUAL.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("reader", "raw", "value"),
    [
        (switch, "On", True),
        (switch, "false", False),
        (count, "4", 4),
        (port, "65535", 65535),
        (size, "256MB", 256 * 1024 * 1024),
        (size, "512 KiB", 512 * 1024),
        (size, "10", 10),
        (seconds, "5m", 300),
        (seconds, "60", 60),
        (seconds, "1d", 86400),
        (hosts, "Example.com, .Example.org", ["example.com", ".example.org"]),
        (hosts, '["a.example"]', ["a.example"]),
        (hosts, "", None),
        (site_url, "https://Example.com/", "https://example.com"),
        (site_url, "", ""),
        (database_url, "postgres://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        (
            database_url,
            "postgresql://h/n?sslmode=require",
            "postgresql+psycopg://h/n?sslmode=require",
        ),
        (database_url, "sqlite:///a.db", "sqlite:///a.db"),
        (bind, "unix:/run/a.sock", "unix:/run/a.sock"),
        (bind, "::1", "::1"),
        (level, "WARNING", "warning"),
        (edges, "Cloudflare, varnish", "cloudflare,varnish"),
        (edges, "none", ""),
        (tristate, "auto", None),
        (tristate, "off", False),
    ],
)
def test_a_reader_understands(reader: Any, raw: str, value: Any) -> None:
    """The usual spellings of a value."""
    assert reader(raw) == value


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PORT": "http"}, "PORT: 'http' is not a port from 1 to 65535."),
        ({"PORT": "٣"}, "PORT: '٣' is not a port from 1 to 65535."),
        ({"FLASK_PORT": "65536"}, "FLASK_PORT: '65536' is not a port from 1 to 65535."),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: '0' is not a whole number from 1 to 9999."),
        ({"FLASK_EDGE_GATEWAY": "maybe"}, "FLASK_EDGE_GATEWAY: 'maybe' is not on, off or auto."),
        ({"FLASK_EDGE_STORE_SIZE": "big"}, "is not a number of bytes, such as 256MB."),
        ({"FLASK_EDGE_TTL_CAP": "soon"}, "is not a span of time, such as 60s, 5m, 12h or 1d."),
        ({"FLASK_EDGE": "akamai"}, "FLASK_EDGE: 'akamai' is not none, or one or more of bunny,"),
        ({"FLASK_EDGE_STRICT": "yess"}, "FLASK_EDGE_STRICT: 'yess' is not on, off or auto."),
        ({"FLASK_TRUSTED_HOSTS": "http://a.example"}, "is not host names without scheme"),
        ({"FLASK_TRUSTED_HOSTS": "[1]"}, "is not a list of host names"),
        ({"SITE_URL": "example.com"}, "is not an address such as https://example.com."),
        ({"SITE_URL": "https://[x"}, "is not an address such as https://example.com."),
        ({"SITE_URL": "https://a.example/blog"}, "is not an address with no path"),
        ({"DATABASE_URL": "mysql://h/n"}, "is not an address that begins with sqlite:/// or"),
        ({"DATABASE_URL": "sqlite://"}, "is not the address of a file, such as sqlite:///"),
        ({"DATABASE_URL": "postgres"}, "is not an address such as postgresql://user:"),
        ({"DATABASE_URL": "postgres://h:port/n"}, "is not an address such as postgresql://user:"),
        ({"FLASK_LOG_LEVEL": "loud"}, "is not debug, info, warning or error."),
        ({"FLASK_BIND": "a b"}, "is not a host such as 0.0.0.0"),
        ({"FLASK_MAX_CONTENT_LENGTH": "x"}, "FLASK_MAX_CONTENT_LENGTH: 'x' is not a number of"),
        ({"FLASK_SESSION_COOKIE_SECURE": "x"}, "FLASK_SESSION_COOKIE_SECURE: 'x' is not on or"),
        ({"FLASK_SECRT_KEY": "x"}, "no such setting; did you mean FLASK_SECRET_KEY?"),
        ({"FLASK_XYZ": "x"}, "FLASK_XYZ: there is no such setting; `flask config` lists"),
        ({"FLASK_EDGE_VARY": "Cookie"}, "FLASK_EDGE_VARY contains Cookie: responses"),
        ({"FLASK_EDGE_VARY": "a b"}, "FLASK_EDGE_VARY is 'a b': it contains 'a b', which is not"),
        ({"FLASK_EDGE_STORE_SIZE": "1"}, "FLASK_EDGE_STORE_SIZE is 1: "),
        (
            {"FLASK_EDGE": "bunny", "FLASK_EDGE_BUNNY_KEY": "k", "FLASK_EDGE_BUNNY_ZONE": "EDGE{}"},
            "FLASK_EDGE_BUNNY_ZONE is 'EDGE{}', which is not a number.",
        ),
        (
            {"FLASK_EDGE": "generic", "FLASK_EDGE_PURGE_URL": "EDGE_URL"},
            "FLASK_EDGE_PURGE_URL: 'EDGE_URL' is not a URL such as http://127.0.0.1:6081.",
        ),
        (
            {"FLASK_EDGE": "cloudfront", "FLASK_EDGE_CLOUDFRONT_DISTRIBUTION": "E1"},
            "but FLASK_EDGE_CLOUDFRONT_KEY and FLASK_EDGE_CLOUDFRONT_SECRET is not",
        ),
        ({"FLASK_EDGE__GATEWAY": "x"}, "no such setting; did you mean FLASK_EDGE_GATEWAY?"),
        ({"FLASK_SQLALCHEMY_DATABASE_URI": "x"}, "FLASK_SQLALCHEMY_DATABASE_URI: there is no"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, Mapping) else "",
)
def test_a_wrong_setting_stops_the_start_in_one_sentence(
    environ: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the variable and says what would be right."""
    with pytest.raises(ConfigError) as error:
        build_app(tmp_path, monkeypatch, **environ)
    message = error.value.format_message()
    assert sentence in message
    assert "\n" not in message


def test_a_database_password_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the listing nor in the error about a wrong address."""
    url = "postgres://u:hidden@h/n?password=hidden"
    app = build_app(tmp_path, monkeypatch, DATABASE_URL=url, SECRET_KEY="hidden")
    listed = app.test_cli_runner().invoke(args=["config"]).output
    assert "hidden" not in listed + config.as_json(app)
    with pytest.raises(ConfigError) as error:
        build_app(tmp_path, monkeypatch, DATABASE_URL="pg://u:hidden@h/n")
    assert "hidden" not in error.value.format_message()


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"FLASK_SECRET_KEY": "12345"}, "SECRET_KEY", "12345"),
        ({"SECRET_KEY": "a", "FLASK_SECRET_KEY": "b"}, "SECRET_KEY", "b"),
        ({"PORT": "9000"}, "SITE_URL", "http://127.0.0.1:8000"),
        ({"PORT": "9001"}, "SITE_URL", "http://127.0.0.1:8000"),
        ({"FLASK_PORT": "9000"}, "SITE_URL", "http://127.0.0.1:9000"),
        ({"FLASK_PORT": "9000", "PORT": "9001"}, "SITE_URL", "http://127.0.0.1:9000"),
        ({"PORT": ""}, "PORT", 8000),
        ({"FLASK_DEBUG": "no"}, "DEBUG", False),
        ({"FLASK_DEBUG": "False"}, "DEBUG", False),
        ({"FLASK_DEBUG": "1"}, "DEBUG", True),
        ({"FLASK_SESSION_COOKIE_NAME": "123"}, "SESSION_COOKIE_NAME", "123"),
        ({"FLASK_SESSION_COOKIE_SECURE": "no"}, "SESSION_COOKIE_SECURE", False),
        ({"FLASK_MAX_CONTENT_LENGTH": "1MB"}, "MAX_CONTENT_LENGTH", 2**20),
        ({"FLASK_MAX_CONTENT_LENGTH": ""}, "MAX_CONTENT_LENGTH", None),
        ({"FLASK_TRUSTED_HOSTS": "A.example"}, "TRUSTED_HOSTS", ["a.example", "127.0.0.1"]),
    ],
)
def test_a_setting_comes_from_the_environment(
    environ: dict[str, str],
    name: str,
    value: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As platforms and users of Flask spell it."""
    assert build_app(tmp_path, monkeypatch, **environ).config[name] == value


def test_folders_of_the_edge_lie_below_the_instance_folder(app: Flask) -> None:
    """Unless they are absolute, they are this installation's own."""
    assert app.config["EDGE_STORE"] == f"{app.instance_path}/edge-store"


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    """A restart and a second process find the same one."""
    first = create_app({"INSTANCE": str(tmp_path)}).config["SECRET_KEY"]
    assert len(first) == 64
    assert create_app({"INSTANCE": str(tmp_path)}).config["SECRET_KEY"] == first


def test_an_instance_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The sentence says which folder, and what to do."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(
        ConfigError, match=r"instance folder .*file/below can't be used .*FLASK_INST"
    ):
        create_app({"INSTANCE": str(blocked / "below"), "SECRET_KEY": "x"})


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An empty file is no secret."""
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(ConfigError, match="secret_key can't be read: remove it, or set SECRET_KEY"):
        create_app({"INSTANCE": str(tmp_path)})


def test_programs_can_read_the_settings(app: Flask) -> None:
    """`flask config --json` has one object per setting."""
    output = app.test_cli_runner().invoke(args=["config", "--json"]).output
    rows = {row["name"]: row for row in json.loads(output)}
    assert rows.keys() == {setting.name for setting in SETTINGS}
    assert rows["EDGE_STORE_SIZE"]["unit"] == "bytes"
    assert rows["PORT"]["variables"] == ["FLASK_PORT", "PORT"]


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"PORT": "9000"}, True),
        ({"PORT": "9000", "FLASK_PORT": "8000"}, True),
        ({"FLASK_BIND": "0.0.0.0"}, True),
        ({"FLASK_BIND": "192.0.2.1"}, True),
        ({"FLASK_BIND": "unix:/run/a.sock"}, True),
        ({}, False),
        ({"PORT": ""}, False),
        ({"FLASK_PORT": "9000"}, False),
        ({"FLASK_BIND": "127.0.0.1"}, False),
        ({"FLASK_BIND": "::1"}, False),
        ({"PORT": "9000", "SITE_URL": "https://a.example"}, False),
        ({"PORT": "9000", "FLASK_SITE_URL": "https://a.example"}, False),
    ],
)
def test_a_site_that_others_reach_needs_an_address(
    environ: dict[str, str], *, missing: bool
) -> None:
    """A platform sets PORT; whoever listens for others is no longer alone on the machine."""
    problem = config.load(environ)["SITE_URL_PROBLEM"]
    assert ("SITE_URL is not set" in problem) is missing
    assert ("http://127.0.0.1:8000" in problem) is missing


def test_an_address_that_is_given_by_code_is_an_address() -> None:
    """As tests and other apps give it."""
    overrides = {"SITE_URL": "https://a.example"}
    assert not config.load({"PORT": "9000"}, overrides)["SITE_URL_PROBLEM"]
