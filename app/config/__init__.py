"""The settings: one table, read once at the start from the environment."""

from __future__ import annotations

from .display import as_json, as_markdown, effective, shown
from .instance_folder import ROOT, instance_folder
from .loading import check_names, configure, load
from .setting import ConfigError, Setting
from .settings import BY_NAME, SETTINGS

__all__ = [
    "BY_NAME",
    "ROOT",
    "SETTINGS",
    "ConfigError",
    "Setting",
    "as_json",
    "as_markdown",
    "check_names",
    "configure",
    "effective",
    "instance_folder",
    "load",
    "shown",
]
