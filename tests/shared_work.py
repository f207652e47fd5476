"""Work that is the same for every app of a test process is done once.

An app is created for nearly every test. Half of the time went into functions that werkzeug compiles
to build URLs, two for each route, and a quarter into a manifest of the same static files.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from app.config import ROOT
from app.edge.flask import static
from app.edge.static.build_cache import BuildCache
from app.edge.static.manifest import Manifest, build_manifest

from .live.programs import PACKED

if TYPE_CHECKING:
    from collections.abc import Callable

    Builder = Callable[..., tuple[str, str]]

STATIC = ROOT / "static"
_compile_builder: Callable[..., Builder] = Rule._compile_builder


def share_work() -> None:
    """Compile the URL builder of a route at its first use; read the static files once."""
    Rule._compile_builder = _compile_later  # type: ignore[method-assign, assignment]  # for all apps of a test process
    static.build_manifest = _build_manifest_once  # type: ignore[attr-defined]  # a name that it imports


def _compile_later(rule: Rule, append_unknown: bool = True) -> Builder:  # noqa: FBT002 - werkzeug's signature
    compiled: list[Builder] = []

    def build(rule: Rule, **values: Any) -> tuple[str, str]:
        if not compiled:
            compiled.append(_compile_builder(rule, append_unknown))
        return compiled[0](rule, **values)

    return build


def _build_manifest_once(folder: Path, build_cache: BuildCache) -> Manifest:
    """Share the manifest of the repository's files; read every other folder again."""
    if folder == STATIC and build_cache._folder == PACKED:
        return _repository_manifest()
    return build_manifest(folder, build_cache)


@cache
def _repository_manifest() -> Manifest:
    return build_manifest(STATIC, BuildCache(PACKED))
