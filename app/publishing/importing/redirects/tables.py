"""Redirects in JSON, YAML, TOML and Python: lists of tables, pairs, or a table of addresses.

Pure: parsed values in, redirects out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import OldRedirect, status_text

_SOURCES = ("from", "source", "fromPath", "route", "old")
_TARGETS = ("to", "destination", "toPath", "redirect", "new", "target")
_STATUSES = ("status", "statusCode", "type", "code", "redirectCode")
_PERMANENT = ("permanent", "isPermanent")
_CONDITIONS = ("has", "missing", "conditions", "query", "headers", "signed", "country", "language")
_STATUS_NAMES = frozenset({"301", "302", "303", "307", "308"})


def read_tables(values: Any, file: str, status: str = "") -> Iterator[OldRedirect]:
    """Read a list of tables or pairs, or a table of old and new addresses.

    Ghost has tables of addresses below their statuses: `{"301": {"/a": "/b"}}`.
    """
    if isinstance(values, list | tuple):
        for value in values:
            yield from _read_item(value, file, status)
    elif isinstance(values, Mapping) and "redirects" in values:
        yield from read_tables(values["redirects"], file, status)
    elif isinstance(values, Mapping):
        for source, target in values.items():
            yield from _read_pair(str(source), target, file, status)


def _read_pair(source: str, target: Any, file: str, status: str) -> Iterator[OldRedirect]:
    if source in _STATUS_NAMES:
        yield from read_tables(target, file, source)
    elif isinstance(target, str):
        address = _without_anchors(source)
        yield OldRedirect(source=address, target=target, file=file, status=status)
    elif isinstance(target, Mapping):
        yield from _read_item({"from": source, **target}, file, status)


def _read_item(value: Any, file: str, status: str) -> Iterator[OldRedirect]:
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value[:2]):
        if len(value) > 1:
            yield OldRedirect(source=value[0], target=value[1], file=file, status=status)
        return
    if not isinstance(value, Mapping):
        return
    target = _first(value, _TARGETS)
    sources = _first(value, _SOURCES)
    if not isinstance(target, str) or sources is None:
        return  # a rewrite, a header, or an entry of a menu
    for source in sources if isinstance(sources, list) else [sources]:
        yield OldRedirect(
            source=_without_anchors(str(source or "")),
            target=target,
            file=file,
            status=status
            or status_text(_first(value, _STATUSES), permanent=_first(value, _PERMANENT)),
            has_condition=any(value.get(name) for name in _CONDITIONS),
        )


def _without_anchors(source: str) -> str:
    """Return the address of a regular expression that has nothing but its anchors."""
    if not source.startswith("^") and not source.endswith("$"):
        return source
    return source.removeprefix("^").removesuffix("$").removesuffix("/?").replace("\\", "")


def _first(table: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((table[name] for name in names if name in table), None)
