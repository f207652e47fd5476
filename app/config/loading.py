"""Load the environment into `app.config`; an unknown or malformed setting stops the start."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.helpers import get_debug_flag

from .instance_folder import ensure_writable, instance_folder, load_or_create_secret
from .parsers import size, span, switch, text
from .setting import ConfigError, Setting
from .settings import BY_NAME, SETTINGS

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
"""The parsers of Flask's own settings, so that a malformed one stops the start too."""

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
"""Names with the prefix FLASK_ that Flask's command line reads."""


def load(environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the effective settings: defaults, the environment, then `overrides` (typed values).

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
            return setting.parse(environ[variable], source=variable)
    return setting.parse(setting.default, source=setting.name)


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
    """Return settings that follow from others: the default SITE_URL, its host, full paths."""
    site_url = values["SITE_URL"] or f"http://127.0.0.1:{site_port}"
    trusted_hosts = values["TRUSTED_HOSTS"]
    return {
        "INSTANCE": str(instance),
        "SITE_URL": site_url,
        "TRUSTED_HOSTS": trusted_hosts and [*trusted_hosts, str(urlsplit(site_url).hostname)],
        "EDGE_STORE": str(instance / values["EDGE_STORE"]),
        "EDGE_BUILD": str(instance / values["EDGE_BUILD"]),
    }


def reject_unknown_variables(environ: Mapping[str, str]) -> None:
    """Raise ConfigError for an unknown FLASK_ variable, and suggest the nearest known one."""
    known_names = BY_NAME.keys() | Flask.default_config.keys() | _FLASK.keys() | _COMMAND_LINE
    for variable in sorted(environ):
        name = variable.removeprefix("FLASK_")
        if not variable.startswith("FLASK_") or name in known_names:
            continue
        near = difflib.get_close_matches(name, sorted(known_names), n=1)
        hint = f"did you mean FLASK_{near[0]}?" if near else "`flask config` lists the settings."
        raise ConfigError(f"{variable}: there is no such setting; {hint}")


def read_flask_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read Flask's own settings from the environment; an empty variable counts as unset."""
    return {
        name: Setting(name=name, parser=parse, default="", help="").parse(
            raw, source=f"FLASK_{name}"
        )
        for name, parse in _FLASK.items()
        if name not in BY_NAME and (raw := environ.get(f"FLASK_{name}", "").strip())
    }


def configure(app: Flask, environ: Mapping[str, str], overrides: Mapping[str, Any] | None) -> None:
    """Replace the values of `app.config.from_prefixed_env()` by checked ones, then by `overrides`.

    `from_prefixed_env` takes any text; this reads each setting by its type, and raises ConfigError.
    """
    app.config.from_mapping(
        {name: Flask.default_config.get(name) for name in _FLASK},
        DEBUG=get_debug_flag(),  # from_prefixed_env reads FLASK_DEBUG=no as true
        SQLALCHEMY_ECHO=False,
        SQLALCHEMY_RECORD_QUERIES=False,
    )
    app.config.from_mapping(read_flask_settings(environ))
    app.config.from_mapping(load(environ, overrides))
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    if app.config["DATABASE_URL"].startswith("sqlite:"):
        ensure_writable(Path(app.instance_path))
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = load_or_create_secret(Path(app.instance_path))
