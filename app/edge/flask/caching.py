"""Record hits of Flask-Caching: a page built from one shows rows whose query was not recorded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..dependencies.current_record import current_record
from ..dependencies.fence import fenced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

_WATCHED = "_edge_watched"
_BACKENDS = ("cachelib", "flask_caching.backends")
"""Modules of the backends, which also store bookkeeping values, such as the number of files."""

_VERSIONS = "_memver"
"""Suffix of the keys that hold versions of memoized functions, which are not page content."""


def watch_caches(app: Flask) -> None:
    """Record hits of an app's caches.

    Called for each request, because a cache may be created after the app has started.
    """
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
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))  # noqa: SLF001 - needed to identify the caller
        if not caller.startswith(_BACKENDS):
            _record_hits([key], [value])
        return value

    def watched_many(*keys: Any) -> Any:
        values = get_many(*keys)
        _record_hits(keys, values)
        return values

    def watched_dict(*keys: Any) -> Any:
        values = get_dict(*keys)
        _record_hits(values.keys(), values.values())
        return values

    methods: dict[str, Callable[..., Any]] = {
        "get": watched_get,
        "get_many": watched_many,
        "get_dict": watched_dict,
    }
    for name, method in methods.items():
        setattr(backend, name, method)


def _record_hits(keys: Iterable[Any], values: Iterable[Any]) -> None:
    record = current_record()
    if record is None:
        return
    with fenced("as it noted a hit of Flask-Caching"):
        for key, value in zip(keys, values, strict=False):
            if value is not None and not str(key).endswith(_VERSIONS):
                record.read_unseen("it was made from a hit of Flask-Caching")
