"""Print the effective settings as text, JSON or Markdown; secrets are masked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy.engine import make_url

from .setting import Setting
from .settings import SETTINGS


def effective(app: Flask) -> Iterator[tuple[Setting, str]]:
    """Return each setting with its value as text; secrets are masked."""
    for setting in SETTINGS:
        yield setting, display_value(setting, app.config[setting.name])


def display_value(setting: Setting, value: Any) -> str:
    """Return a value as text; secrets and the password of a database URL are masked."""
    if setting.name == "DATABASE_URL":
        return masked(value)
    if setting.secret:
        return "(set)" if value else "(empty)"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return setting.default
    return str(value)


def masked(url: str) -> str:
    """Return a database URL with its password masked, before the host and in the query."""
    parsed = make_url(url)
    query = {key: "***" if "pass" in key else value for key, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True)


def as_json(app: Flask) -> str:
    """Return the effective settings as JSON."""
    rows = [
        {
            "name": setting.name,
            "variables": setting.variables,
            "type": setting.type,
            "value": value,
            "default": setting.default,
            "unit": setting.unit,
            "help": setting.help,
        }
        for setting, value in effective(app)
    ]
    return json.dumps(rows, indent=2)


def as_markdown() -> str:
    """Return the Markdown table of all settings, as docs/settings.md prints it."""
    lines = [
        "| variable | type | default | unit | what it does |",
        "|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        variables = " or ".join(f"`{variable}`" for variable in reversed(setting.variables))
        default = f"`{setting.default}`" if setting.default else "empty"
        lines.append(
            f"| {variables} | {setting.type} | {default} | {setting.unit} | {setting.help} |",
        )
    return "\n".join(lines) + "\n"
