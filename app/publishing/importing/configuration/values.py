"""Values of a configuration, made texts, switches, folders and time zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_TEXT = 2000


def text(values: Mapping[str, Any], *names: str) -> str:
    """Return the first of these values that is a text or a number, in one line."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return " ".join(str(value).split())[:MAX_TEXT]
    return ""


def table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the table under this name; empty when it is none."""
    value = values.get(name)
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, or of a single text."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def is_true(value: Any, *, default: bool = False) -> bool:
    """Read a switch that may be written as a text; anything else is the default."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return {"true": True, "yes": True, "on": True, "false": False, "no": False}.get(word, default)


def time_zone(name: str) -> tzinfo | None:
    """Return the time zone of this name; None for an empty or unknown one."""
    if name.upper() in {"UTC", "GMT", "ETC/UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def folder(path: str) -> PurePosixPath | None:
    """Normalise the path of a folder below the site's root; None when it leads out of it."""
    normal = normpath(path.strip().lstrip("/") or ".")
    if normal.startswith("..") or "\0" in normal:
        return None
    return PurePosixPath(normal)


def folders(paths: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """Normalise the paths of folders, without repeats and without those outside the root."""
    return tuple(dict.fromkeys(path for path in map(folder, paths) if path is not None))


def existing(root: Path, paths: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """Return the folders among these that exist below the root."""
    return tuple(path for path in folders(paths) if (root / path).is_dir())


def join_url(base: str, path: str) -> str:
    """Join an address and the path below it, with one slash between them."""
    path = path.strip("/")
    return f"{base.rstrip('/')}/{path}".rstrip("/") if path else base.rstrip("/")


def menu(
    entries: Any, name_keys: Iterable[str], url_keys: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """Return the names and addresses of a list of tables, in the order of their weights."""
    tables = (
        [entry for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list | tuple)
        else []
    )
    tables.sort(key=lambda entry: entry["weight"] if isinstance(entry.get("weight"), int) else 0)
    pairs = ((text(entry, *name_keys), text(entry, *url_keys)) for entry in tables)
    return tuple(pair for pair in pairs if all(pair))
