"""Exports of a package that import their module when they are first used (PEP 562).

A level of the library is imported without the requirements of the levels above it: `Edge` needs
Flask only, and SQLAlchemy is imported with the first name that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def export_lazily(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package; `modules` has the module of each exported name.

    The returned function raises AttributeError for any other name.
    """

    def find_export(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f".{modules[name]}", package), name)

    return find_export
