"""Eleventy: the literals of `eleventy.config.js` or `.eleventy.js`, and `_data/metadata.json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import values as read
from .files import Files
from .hugo import author_name
from .model import SiteFacts, SourceConfiguration, Tool

_NAMES = (
    ".eleventy.js",
    *(f"eleventy.config.{suffix}" for suffix in ("js", "mjs", "cjs", "ts")),
)
_DATA = tuple(
    f"_data/{stem}.{suffix}"
    for stem in ("metadata", "site")
    for suffix in ("json", "yaml", "yml", "js", "mjs", "cjs")
)


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Eleventy."""
    return files.first(_NAMES) is not None


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the literals of the configuration of Eleventy."""
    values = files.read(files.first(_NAMES) or _NAMES[0])
    folder = _last(values, "dir.input") or _first(values.get("setInputDirectory()")) or "."
    data = _data(files, folder)
    language = read.text(data, "language", "lang")
    return SourceConfiguration(
        root=files.root,
        tool=Tool.ELEVENTY,
        content_folders=read.folders([folder]),
        static_folders=read.existing(files.root, [*_passed_through(values), "public", folder]),
        base_url=read.join_url(read.text(data, "url"), _last(values, "pathPrefix")),
        default_language=language,
        languages=read.texts(language),
        site=SiteFacts(
            title=read.text(data, "title", "name"),
            tagline=read.text(data, "tagline", "subtitle"),
            description=read.text(data, "description"),
            language=language,
            author=read.text(data, "author.name") or author_name(data.get("author")),
        ),
        values=values | {f"_data.{key}": value for key, value in data.items()},
    )


def _data(files: Files, folder: str) -> dict[str, Any]:
    name = files.first([*(f"{folder}/{name}" for name in _DATA), *_DATA])
    return files.read(name) if name else {}


def _last(values: dict[str, Any], name: str) -> str:
    """Return the value whose dotted key ends in this name."""
    keys = [key for key in values if key == name or key.endswith(f".{name}")]
    return read.text(values, *keys)


def _first(value: Any) -> str:
    return next(iter(read.texts(value)), "")


def _passed_through(values: dict[str, Any]) -> Iterator[str]:
    """Return the folders that are copied: `addPassthroughCopy('x')` and `{'./x/': '/'}`."""
    prefix = "addPassthroughCopy()"
    for key, value in values.items():
        if key == prefix or key.endswith(f".{prefix}"):
            yield from read.texts(value)
        elif f"{prefix}." in key:
            yield key.rpartition(f"{prefix}.")[2]
