"""The settings: every one with its name, type, default, unit and help, read once at the start."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent.parent


class ConfigError(click.ClickException):
    """A setting is unknown or malformed; the message names it and says what would be right."""


def text(value: str) -> str:
    """Any text."""
    return value


def switch(value: str) -> bool:
    """On or off, in any of the usual spellings."""
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ValueError("on or off")


def whole(value: str) -> int:
    """A whole number that is not negative."""
    if not re.fullmatch(r"\d{1,12}", value.strip()):
        raise ValueError("a whole number")
    return int(value)


def port(value: str) -> int:
    """A TCP port."""
    if not re.fullmatch(r"\d{1,5}", value.strip()) or not 0 <= int(value) <= 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError("a port from 0 to 65535")
    return int(value)


def size(value: str) -> int:
    """A number of bytes, such as 1048576, 512KB or 256MB."""
    match = re.fullmatch(r"(\d{1,12})\s*([kmg]?)i?b?", value.strip().lower())
    if not match:
        raise ValueError("a number of bytes, such as 256MB")
    return int(match[1]) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[match[2]]


def span(value: str) -> timedelta:
    """A span of time, such as 60, 60s, 5m, 12h or 1d."""
    match = re.fullmatch(r"(\d{1,9})\s*([smhd]?)", value.strip().lower())
    if not match:
        raise ValueError("a span of time, such as 60s, 5m, 12h or 1d")
    unit = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})


def names(value: str) -> list[str]:
    """Names, separated by commas."""
    return [name.strip() for name in value.split(",") if name.strip()]


def hosts(value: str) -> list[str] | None:
    """Host names, separated by commas or as a JSON list; none means every host."""
    if value.strip().startswith("["):
        found = json.loads(value)
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise ValueError("host names, separated by commas")
        return found or None
    return names(value) or None


def site_url(value: str) -> str:
    """Where readers find the site: scheme and host, no path."""
    if not value.strip():
        return ""
    parts = urlsplit(value.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address such as https://example.com")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("an address with no path, such as https://example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def database_url(value: str) -> str:
    """A database's address; the short forms that platforms hand out are understood."""
    spelt = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value.strip())
    try:
        found = make_url(spelt)
    except ArgumentError:
        raise ValueError("an address such as postgresql://user:password@host/name") from None
    if found.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError("an address that begins with sqlite:/// or postgresql://")
    return spelt


def level(value: str) -> str:
    """A level of the log."""
    lowered = value.strip().lower()
    if lowered not in {"debug", "info", "warning", "error"}:
        raise ValueError("debug, info, warning or error")
    return lowered


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `variables` are the environment's names for it, the first one wins."""

    name: str
    read: Callable[[str], Any]
    default: str
    help: str
    unit: str = ""
    secret: bool = False
    platform: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that set it, in order of precedence."""
        own = f"FLASK_{self.name}"
        return (own, self.platform) if self.platform else (own,)

    def parse(self, raw: str, *, said_by: str) -> Any:
        """The value of a text, or a ConfigError that names who said it."""
        try:
            return self.read(raw)
        except ValueError as error:
            shown = "its value" if self.secret else repr(raw)
            raise ConfigError(f"{said_by}: {shown} is not {error}.") from None


SETTINGS = (
    Setting(
        name="SECRET_KEY",
        read=text,
        default="",
        secret=True,
        platform="SECRET_KEY",
        help="Signs what must not be forged. Made and kept in the instance folder when empty.",
    ),
    Setting(
        name="DATABASE_URL",
        read=database_url,
        default="sqlite:///broadsheet.db",
        secret=True,
        platform="DATABASE_URL",
        help="The database: sqlite:///name (in the instance folder) or postgresql://….",
    ),
    Setting(
        name="SITE_URL",
        read=site_url,
        default="",
        platform="SITE_URL",
        help="Where readers find the site; feeds and canonical links use it. "
        "http://127.0.0.1:PORT when empty.",
    ),
    Setting(
        name="PORT",
        read=port,
        default="8000",
        platform="PORT",
        help="The port that the server listens on.",
    ),
    Setting(
        name="BIND",
        read=text,
        default="",
        help="The address that the server listens on: 127.0.0.1, "
        "or every interface when the platform sets PORT.",
    ),
    Setting(
        name="WEB_CONCURRENCY",
        read=whole,
        default="2",
        unit="processes",
        platform="WEB_CONCURRENCY",
        help="How many worker processes serve requests.",
    ),
    Setting(
        name="WEB_THREADS",
        read=whole,
        default="4",
        unit="threads",
        help="How many requests one worker process serves at a time.",
    ),
    Setting(
        name="PROXIES",
        read=whole,
        default="0",
        unit="proxies",
        help="How many proxies in front are ours, so that their X-Forwarded-For and -Proto count.",
    ),
    Setting(
        name="TRUSTED_HOSTS",
        read=hosts,
        default="",
        help="The Host names that are answered, separated by commas; every one when empty.",
    ),
    Setting(
        name="LOG_LEVEL",
        read=level,
        default="info",
        help="How much is logged: debug, info, warning or error.",
    ),
    Setting(
        name="EDGE",
        read=names,
        default="generic",
        help="The edges in front, separated by commas: "
        "cloudflare, fastly, cloudfront, bunny, varnish, nginx or generic.",
    ),
    Setting(
        name="EDGE_GATEWAY",
        read=switch,
        default="on",
        help="The edge cache inside the web process.",
    ),
    Setting(
        name="EDGE_STORE",
        read=text,
        default="edge",
        help="The folder of the gateway's store; below the instance folder unless absolute.",
    ),
    Setting(
        name="EDGE_STORE_SIZE",
        read=size,
        default="256MB",
        unit="bytes",
        help="How large the gateway's store may become.",
    ),
    Setting(
        name="EDGE_STORE_ENTRY",
        read=size,
        default="8MB",
        unit="bytes",
        help="The largest response that the gateway stores.",
    ),
    Setting(
        name="EDGE_TTL_CAP",
        read=span,
        default="60s",
        unit="seconds",
        help="The longest time that an edge which cannot be purged may keep a page.",
    ),
    Setting(
        name="EDGE_STRICT",
        read=text,
        default="auto",
        help="Raise when a shared response would leak: on, off, "
        "or auto (in development and tests).",
    ),
)

BY_NAME = {setting.name: setting for setting in SETTINGS}

# Names below FLASK_ that belong to Flask's own command line.
_COMMAND_LINE = re.compile(r"(APP|DEBUG|ENV|SKIP_DOTENV|INSTANCE|(RUN|SHELL|ROUTES|DB)_[A-Z_]+)\Z")


def load(environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The effective settings: defaults, then the environment, then `overrides` (typed values).

    Raises ConfigError, in one sentence, for a value that can't be read.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw, said_by = setting.default, setting.name
        for variable in reversed(setting.variables):
            if environ.get(variable, "") != "":
                raw, said_by = environ[variable], variable
        values[setting.name] = setting.parse(raw, said_by=said_by)
    values.update(overrides or {})
    return values | derived(values)


def derived(values: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from other settings when it was not said."""
    return {"SITE_URL": values["SITE_URL"] or f"http://127.0.0.1:{values['PORT']}"}


def check_names(app: Flask, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for a FLASK_ variable that nobody reads, naming the nearest one."""
    known = {
        *BY_NAME,
        *Flask.default_config,
        *(n for n in app.config if n.startswith("SQLALCHEMY")),
    }
    for variable in environ:
        name = variable.removeprefix("FLASK_").partition("__")[0]
        if not variable.startswith("FLASK_") or name in known or _COMMAND_LINE.match(name):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean FLASK_{near[0]}?" if near else "`flask config` lists the settings."
        raise ConfigError(f"{variable}: there is no such setting; {hint}")


def configure(app: Flask, environ: Mapping[str, str], overrides: Mapping[str, Any] | None) -> None:
    """Fill `app.config` from FLASK_ variables, the table above and `overrides`."""
    app.config.from_prefixed_env()
    app.config.from_mapping(SQLALCHEMY_ECHO=False, SQLALCHEMY_RECORD_QUERIES=False)
    check_names(app, environ)
    app.config.from_mapping(load(environ, overrides))
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = kept_secret(Path(app.instance_path))


def kept_secret(folder: Path) -> str:
    """The secret of this installation, made at the first start and kept in the instance folder."""
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _keep(secrets.token_hex(32), path)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise ConfigError(
            f"The instance folder {folder} can't be used ({error.strerror}): "
            "make it writable, or set FLASK_INSTANCE to a folder that is.",
        ) from None


def _keep(secret: str, path: Path) -> None:
    """Write the file whole or not at all; of several first starts, one wins."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    os.write(handle, secret.encode("ascii"))
    os.close(handle)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()


def effective(app: Flask) -> Iterator[tuple[Setting, str]]:
    """Every setting with its value as text; secrets are masked."""
    for setting in SETTINGS:
        value = app.config[setting.name]
        yield setting, shown(setting, value)


def shown(setting: Setting, value: Any) -> str:
    """A value as a person reads it; secrets are masked, a database's password too."""
    if setting.name == "DATABASE_URL":
        return make_url(value).render_as_string(hide_password=True)
    if setting.secret:
        return "(set)" if value else "(empty)"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f}"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)
