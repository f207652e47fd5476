"""Flask-Caching: a page that is made from one of its hits shows rows that nobody has read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..fence import fenced
from ..reads import recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

_WATCHED = "_edge_watched"
_BACKENDS = ("cachelib", "flask_caching.backends")
"""The modules of backends, which keep notes of their own, such as how many files there are."""

_VERSIONS = "_memver"
"""What the keys of the versions of memoized functions end with; those are no content."""


def watch_caches(app: Flask) -> None:
    """Note the hits of an app's caches; to be called at each request, since caches come late."""
    caches = app.extensions.get("cache")
    if not isinstance(caches, dict):
        return
    for backend in caches.values():
        if not getattr(backend, _WATCHED, False):
            setattr(backend, _WATCHED, True)
            _watch(backend)


def _watch(backend: Any) -> None:
    get, get_many, get_dict = backend.get, backend.get_many, backend.get_dict

    def watched_get(key: Any, *args: Any, **options: Any) -> Any:
        value = get(key, *args, **options)
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))  # noqa: SLF001 - the caller is the question
        if not caller.startswith(_BACKENDS):
            _note([key], [value])
        return value

    def watched_many(*keys: Any) -> Any:
        values = get_many(*keys)
        _note(keys, values)
        return values

    def watched_dict(*keys: Any) -> Any:
        values = get_dict(*keys)
        _note(values.keys(), values.values())
        return values

    methods: dict[str, Callable[..., Any]] = {
        "get": watched_get,
        "get_many": watched_many,
        "get_dict": watched_dict,
    }
    for name, method in methods.items():
        setattr(backend, name, method)


def _note(keys: Iterable[Any], values: Iterable[Any]) -> None:
    record = recorder.current()
    if record is None:
        return
    with fenced("as it noted a hit of Flask-Caching"):
        for key, value in zip(keys, values, strict=False):
            if value is not None and not str(key).endswith(_VERSIONS):
                record.read_unseen("it was made from a hit of Flask-Caching")
