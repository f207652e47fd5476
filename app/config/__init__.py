"""The settings: one table, read once at the start from the environment."""

from __future__ import annotations

from .display import as_json, as_markdown, display_value, effective
from .instance_folder import ROOT, instance_folder
from .loading import configure, load, reject_unknown_variables
from .setting import ConfigError, Setting, environment_variable
from .settings import BY_NAME, SETTINGS

__all__ = [
    "BY_NAME",
    "ROOT",
    "SETTINGS",
    "ConfigError",
    "Setting",
    "as_json",
    "as_markdown",
    "configure",
    "display_value",
    "effective",
    "environment_variable",
    "instance_folder",
    "load",
    "reject_unknown_variables",
]
