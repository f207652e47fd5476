"""Reading configuration files: bounded, parsed by safe parsers, and never executed."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from app.publishing.importing import file_access
from app.publishing.importing.report import Remark
from app.publishing.importing.value_limits import depth_change, exceeds_limits
from app.publishing.importing.yaml_loader import SIMPLE, make_loader

from . import javascript

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 30
MAX_ALIASES = 20
"""Merge keys copy what their aliases name, so a few aliases could make millions of values."""


@dataclass(slots=True, kw_only=True)
class Files:
    """The configuration files of one site: the files read, and remarks about others."""

    root: Path
    read_files: list[PurePosixPath] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def exists(self, name: str) -> bool:
        """Tell whether the site has a file of this name."""
        return (self.root / name).is_file()

    def first(self, names: Iterable[str]) -> str | None:
        """Return the first of these names that is a file of the site."""
        return next((name for name in names if self.exists(name)), None)

    def read(self, name: str) -> dict[str, Any]:
        """Return the values of a file; empty, with a remark, when it can't be read."""
        path = PurePosixPath(name)
        try:
            text = file_access.read_file(self.root, path, most=MAX_BYTES).decode("utf-8-sig")
            values = _PARSERS[path.suffix.lower()](text)
            _check_size(values)
        except UnicodeDecodeError:
            self.remark(name, "the configuration is not UTF-8; it was not used")
        except (ValueError, RecursionError, MemoryError, KeyError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self.remark(name, f"the configuration was not used: {reason}")
        else:
            self.read_files.append(path)
            return values
        return {}

    def read_text(self, name: str) -> str:
        """Return the text of a file whose values have been read; empty for another one."""
        path = PurePosixPath(name)
        if path not in self.read_files:
            return ""
        return file_access.read_file(self.root, path, most=MAX_BYTES).decode("utf-8-sig")

    def remark(self, name: str, sentence: str) -> None:
        """Note something about a configuration file."""
        self.remarks.append(Remark(path=name, line=None, sentence=sentence))


def parse_values(name: str, text: str) -> Any:
    """Return the values of a JSON, YAML or TOML file, in any shape; raises a `ValueError`."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".json":
        values = json.loads(text)
    elif suffix == ".toml":
        values = tomllib.loads(text)
    else:
        values = _load_yaml(text)
    _check_size(values)
    return values


_LOADER = make_loader(SIMPLE)


def _parse_yaml(text: str) -> dict[str, Any]:
    return _table(_load_yaml(text))


def _load_yaml(text: str) -> Any:
    aliases = depth = 0
    try:
        for token in yaml.scan(text):
            aliases += isinstance(token, yaml.AliasToken)
            depth += depth_change(token)
            if aliases > MAX_ALIASES or depth > MAX_DEPTH:
                raise ValueError(f"it has more than {MAX_ALIASES} aliases or {MAX_DEPTH} levels")
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise ValueError(f"the YAML is broken: {error}") from None


def _parse_toml(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _parse_json(text: str) -> dict[str, Any]:
    return _table(json.loads(text))


def _parse_python(text: str) -> dict[str, Any]:
    """Return the literals that are assigned at the top level. Names of texts are resolved."""
    values: dict[str, Any] = {}
    try:
        statements = ast.parse(text).body
    except SyntaxError as error:
        raise ValueError(f"the Python is broken at line {error.lineno}: {error.msg}") from None
    for statement in statements:
        name, node = _assignment(statement)
        if name and node is not None:
            try:
                values[name] = ast.literal_eval(_Substitute(values).visit(node))
            except (ValueError, TypeError, SyntaxError):
                values.pop(name, None)  # an expression: its value is not known
    return values


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    return "", None


class _Substitute(ast.NodeTransformer):
    """Puts the text of an earlier assignment in the place of its name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.values.get(node.id)
        return ast.copy_location(ast.Constant(value), node) if isinstance(value, str) else node


def _parse_javascript(text: str) -> dict[str, Any]:
    return {".".join(path): value for path, value in javascript.read_literals(text).items()}


def _table(values: Any) -> dict[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError("it is not a table of keys and values")  # noqa: TRY004 - a file is wrong
    return {str(key): value for key, value in values.items()}


def _check_size(values: Any) -> None:
    """Refuse values that are too many or too deeply nested, and values that contain themselves."""
    if exceeds_limits(values, most=MAX_VALUES, depth=MAX_DEPTH):
        raise ValueError(f"it has more than {MAX_VALUES} values or {MAX_DEPTH} levels")


_PARSERS: dict[str, Callable[[str], dict[str, Any]]] = {
    ".toml": _parse_toml,
    ".yaml": _parse_yaml,
    ".yml": _parse_yaml,
    ".json": _parse_json,
    ".py": _parse_python,
    **dict.fromkeys((".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"), _parse_javascript),
}
