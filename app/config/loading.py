"""From the environment to `app.config`: what is unknown or malformed ends the start."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.helpers import get_debug_flag

from .instance import instance_folder, kept_secret, usable
from .readers import size, span, switch, text
from .setting import ConfigError, Setting
from .table import BY_NAME, SETTINGS

_SWITCHES = ("PROPAGATE_EXCEPTIONS", "TEMPLATES_AUTO_RELOAD", "TRAP_BAD_REQUEST_ERRORS")
_SIZES = ("MAX_CONTENT_LENGTH", "MAX_COOKIE_SIZE", "MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS")
_SPANS = ("PERMANENT_SESSION_LIFETIME", "SEND_FILE_MAX_AGE_DEFAULT")
_FLASK: dict[str, Callable[[str], Any]] = {
    **{name: text for name, value in Flask.default_config.items() if isinstance(value, str)},
    **{name: switch for name, value in Flask.default_config.items() if isinstance(value, bool)},
    **dict.fromkeys(_SWITCHES, switch),
    **dict.fromkeys(_SIZES, size),
    **dict.fromkeys(_SPANS, span),
    "SERVER_NAME": text,
    "SQLALCHEMY_ECHO": switch,
    "SQLALCHEMY_RECORD_QUERIES": switch,
}
"""How Flask's own settings are read, so that a malformed one stops the start as ours do."""

_SITE_URL_MISSING = (
    "SITE_URL is not set, so canonical links, feeds and purges name {}: "
    "set it to the address at which readers find the site, such as https://example.org."
)

_COMMAND_LINE = {
    "APP",
    "DEBUG",
    "SKIP_DOTENV",
    *(f"RUN_{option}" for option in ("CERT", "DEBUGGER", "EXCLUDE_PATTERNS", "EXTRA_FILES")),
    *(f"RUN_{option}" for option in ("FROM_CLI", "HOST", "KEY", "PORT", "RELOAD")),
    "RUN_WITH_THREADS",
}
"""Names below FLASK_ that belong to Flask's own command line."""


def load(environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The effective settings: defaults, then the environment, then `overrides` (typed values).

    Raises ConfigError, in one sentence, for a value that can't be read.
    """
    values = {setting.name: _value(setting, environ) for setting in SETTINGS}
    values.update(overrides or {})
    settings = values | derived(
        values,
        instance_folder(environ, overrides),
        site_port=_site_port(environ, overrides or {}),
    )
    public = bool(environ.get("PORT", "").strip()) or not _on_loopback(values["BIND"])
    missing = public and not values["SITE_URL"]
    problem = _SITE_URL_MISSING.format(settings["SITE_URL"]) if missing else ""
    return settings | {"SITE_URL_PROBLEM": problem}


def _value(setting: Setting, environ: Mapping[str, str]) -> Any:
    for variable in setting.variables:
        if environ.get(variable, "").strip():
            return setting.parse(environ[variable], said_by=variable)
    return setting.parse(setting.default, said_by=setting.name)


def _site_port(environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Any:
    """The port of the site's address where SITE_URL is not set.

    A platform's PORT changes with every start, and may not change canonical links, the ids of feeds
    and the keys of stored pages. So only our own FLASK_PORT counts.
    """
    if "PORT" in overrides:
        return overrides["PORT"]
    own = {"FLASK_PORT": environ.get("FLASK_PORT", "")}
    return _value(BY_NAME["PORT"], own)


def _on_loopback(bind: str) -> bool:
    """Tell whether only this machine reaches the server; where nothing is set, it is so."""
    return bind in {"", "localhost", "::1", "[::1]"} or bind.startswith("127.")


def derived(values: Mapping[str, Any], instance: Path, *, site_port: Any) -> dict[str, Any]:
    """What follows from others: an address that was not said, the site's own name, whole paths."""
    site_url = values["SITE_URL"] or f"http://127.0.0.1:{site_port}"
    trusted = values["TRUSTED_HOSTS"]
    return {
        "INSTANCE": str(instance),
        "SITE_URL": site_url,
        "TRUSTED_HOSTS": trusted and [*trusted, str(urlsplit(site_url).hostname)],
        "EDGE_STORE": str(instance / values["EDGE_STORE"]),
        "EDGE_BUILD": str(instance / values["EDGE_BUILD"]),
    }


def check_names(environ: Mapping[str, str]) -> None:
    """Raise ConfigError for a FLASK_ variable that nobody reads, naming the nearest one."""
    known = BY_NAME.keys() | Flask.default_config.keys() | _FLASK.keys() | _COMMAND_LINE
    for variable in sorted(environ):
        name = variable.removeprefix("FLASK_")
        if not variable.startswith("FLASK_") or name in known:
            continue
        near = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean FLASK_{near[0]}?" if near else "`flask config` lists the settings."
        raise ConfigError(f"{variable}: there is no such setting; {hint}")


def flask_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Flask's own settings as the environment has them; an empty one counts as not said."""
    return {
        name: Setting(name=name, read=read, default="", help="").parse(raw, said_by=f"FLASK_{name}")
        for name, read in _FLASK.items()
        if name not in BY_NAME and (raw := environ.get(f"FLASK_{name}", "").strip())
    }


def configure(app: Flask, environ: Mapping[str, str], overrides: Mapping[str, Any] | None) -> None:
    """Fill `app.config` from FLASK_ variables, the table and `overrides`."""
    check_names(environ)
    app.config.from_prefixed_env()
    app.config.from_mapping(
        {name: Flask.default_config.get(name) for name in _FLASK},
        DEBUG=get_debug_flag(),  # from_prefixed_env reads FLASK_DEBUG=no as a true text
        SQLALCHEMY_ECHO=False,
        SQLALCHEMY_RECORD_QUERIES=False,
    )
    app.config.from_mapping(flask_settings(environ))
    app.config.from_mapping(load(environ, overrides))
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    if app.config["DATABASE_URL"].startswith("sqlite:"):
        usable(Path(app.instance_path))
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = kept_secret(Path(app.instance_path))
