"""The table of the library's public names, made from their docstrings.

`python -m tests.edge.public_names` writes it into `docs/library/names.md`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import app.edge

from .library_copy import NAME, ROOT

PAGE = ROOT / "docs/library/names.md"
MODULES = (
    *("", "flask", "testing", "changes", "dependencies", "alembic"),
    *("gateway", "pages", "purge", "cdn", "audit"),
)
"""The public modules below the package, in the order of the page."""

INTRODUCTION = f"""# Public names

Every name that is listed here may be imported from its module, for example
`from {NAME}.testing import assert_hit`. Names that are not listed may change in any release. The sentences are the first
lines of the docstrings; the [API reference](reference.md) has the rest. `python -m tests.edge.public_names` writes this page.
"""


def public_names(module: ModuleType) -> list[str]:
    """Return the names in `__all__`, or the classes and functions that the module defines."""
    exported: list[str] | None = getattr(module, "__all__", None)
    if exported is not None:
        return sorted(exported, key=str.lower)
    own = (
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    )
    return sorted(own, key=str.lower)


def describe(module: ModuleType, name: str) -> tuple[str, str]:
    """Return the kind of a name and the first line of its docstring.

    Raises ValueError if it has no docstring.
    """
    return kind_of(getattr(module, name)), docstring_of(module, name).strip().splitlines()[0]


def kind_of(value: object) -> str:
    """Return whether a value is an exception, a class, a function or another value."""
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isfunction(value) else "value"


def docstring_of(module: ModuleType, name: str) -> str:
    """Return the docstring of a public name.

    Raises ValueError if it has no docstring.
    """
    value = getattr(module, name)
    is_value = kind_of(value) == "value"
    text = _value_docstring(module, name) if is_value else value.__doc__ or ""
    if not text.strip():
        raise ValueError(f"{module.__name__}.{name} has no docstring: write one sentence.")
    return str(text)


def format_page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for short in MODULES:
        module = import_module(f"{app.edge.__name__}.{short}".rstrip("."))
        summary = (module.__doc__ or "").strip().splitlines()[0]
        title = f"{NAME}.{short}".rstrip(".")
        parts.append(f"## `{title}`\n\n{summary}\n\n| name | kind | what it is |\n|---|---|---|")
        for name in public_names(module):
            kind, line = describe(module, name)
            cell = line.replace("|", "\\|")
            parts[-1] += f"\n| `{name}` | {kind} | {cell} |"
        parts[-1] += "\n"
    return "\n".join(parts)


def _value_docstring(module: ModuleType, name: str) -> str:
    """Return the string below the assignment of a value, in the module that assigns it."""
    for source in _sources(module):
        body = ast.parse(source.read_text(encoding="utf-8")).body
        for statement, following in pairwise(body):
            if name in _assigned_names(statement):
                match following:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        return text
    return ""


def _sources(module: ModuleType) -> Iterator[Path]:
    path = Path(module.__file__ or "")
    yield path
    yield from sorted(path.parent.rglob("*.py"))


def _assigned_names(statement: Any) -> list[str]:
    match statement:
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


if __name__ == "__main__":
    PAGE.write_text(format_page(), encoding="utf-8")
