"""Work that is the same for every test of a process is done once.

An app is created for nearly every test. Half of the time went into functions that werkzeug compiles
to build URLs, two for each route, and a quarter into a manifest of the same static files. The same
bytes are compressed once, and the same picture is scaled once: both depend on the bytes alone.
Most apps have a copy of the same SQLite file, so the digest of its tables is computed once. A
statement is compiled once for all SQLite engines: each app has an engine of its own.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.compiler import Compiled, SQLCompiler
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from app.config import ROOT
from app.edge.changes import triggers
from app.edge.changes.watched_table import WatchedTable
from app.edge.dependencies import DependencyPlan, PublicSchema, analyse_select, engine_events
from app.edge.flask import static
from app.edge.static import manifest
from app.edge.static.build_cache import BuildCache
from app.edge.static.manifest import Manifest, build_manifest
from app.publishing import images
from app.publishing.images import EncodedRendition

from .live.programs import PACKED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Builder = Callable[..., tuple[str, str]]

_DIGESTS: dict[tuple[object, ...], str] = {}
_PLANS: dict[tuple[object, ...], DependencyPlan] = {}
STATIC = ROOT / "static"
_renditions = images.renditions
_trigger_digest = triggers.trigger_digest
_compile_builder: Callable[..., Builder] = Rule._compile_builder


def share_work() -> None:
    """Compile the URL builder of a route at its first use; build static files and images once."""
    manifest._ENCODERS = {coding: cache(encode) for coding, encode in manifest._ENCODERS.items()}
    images.renditions = _renditions_once
    engine_events.analyse_select = _analyse_once  # type: ignore[attr-defined]  # a name that it imports
    Rule._compile_builder = _compile_later  # type: ignore[method-assign, assignment]  # for all apps of a test process
    triggers.trigger_digest = _digest_once
    cache_of_engine = property(lambda engine: engine.statements, _share_statements)
    setattr(Engine, "_compiled_cache", cache_of_engine)  # noqa: B010 - mypy knows an attribute
    setattr(Mapper, "_compiled_cache", _SharedStatements())  # noqa: B010 - for writes of a session
    static.build_manifest = _build_manifest_once  # type: ignore[attr-defined]  # a name that it imports


def _renditions_once(
    data: bytes, widths: Sequence[int] = images.WIDTHS
) -> tuple[EncodedRendition, ...]:
    """Scale each image to the usual widths once; an error is raised again by the next call."""
    return _usual_renditions(data) if widths == images.WIDTHS else _renditions(data, widths)


@lru_cache(maxsize=64)
def _usual_renditions(data: bytes) -> tuple[EncodedRendition, ...]:
    return _renditions(data)


def _analyse_once(
    compiled: SQLCompiler, schema: PublicSchema, *, clock: bool = False
) -> DependencyPlan:
    """Share the plan of a statement between apps, as one app shares it between its requests.

    Each app has an engine of its own, which compiles every statement again.
    """
    if compiled.cache_key is None:
        return analyse_select(compiled, schema, clock=clock)
    key = (compiled.cache_key.key, str(compiled), compiled.dialect.name, repr(schema), clock)
    if key not in _PLANS:
        _PLANS[key] = analyse_select(compiled, schema, clock=clock)
    return _PLANS[key]


class _SharedStatements:
    """The cache of compiled statements of one engine: a view of that of all engines.

    SQLAlchemy's key begins with the dialect, of which each engine has an object of its own.
    """

    _statements: LRUCache[tuple[object, ...], Compiled] = LRUCache(5_000)

    def get(self, key: tuple[Any, ...]) -> Compiled | None:
        """Return the compiled statement, or None."""
        return self._statements.get(self._shared_key(*key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Compiled) -> None:
        self._statements[self._shared_key(*key)] = compiled

    @staticmethod
    def _shared_key(dialect: Dialect, *key: object) -> tuple[object, ...]:
        if dialect.name != "sqlite":
            return dialect, *key
        options = ("server_version_info", "paramstyle", "_json_serializer", "_json_deserializer")
        return type(dialect), *(getattr(dialect, name, None) for name in options), *key


def _share_statements(owner: Engine, cache: object) -> None:
    """Replace the cache that an engine creates, unless it was created without one."""
    owner.__dict__["statements"] = None if cache is None else _SharedStatements()


def _digest_once(connection: Connection, watched: Sequence[WatchedTable]) -> str:
    """Compute the digest of a SQLite database once for each schema that it can have."""
    if connection.dialect.name != "sqlite":
        return _trigger_digest(connection, watched)
    schema = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
    key = (repr([table.trigger_definition for table in watched]), *map(tuple, schema))
    if key not in _DIGESTS:
        _DIGESTS[key] = _trigger_digest(connection, watched)
    return _DIGESTS[key]


def _compile_later(rule: Rule, append_unknown: bool = True) -> Builder:  # noqa: FBT002 - werkzeug's signature
    compiled: list[Builder] = []

    def build(rule: Rule, **values: Any) -> tuple[str, str]:
        if not compiled:
            compiled.append(_compile_builder(rule, append_unknown))
        return compiled[0](rule, **values)

    return build


def _build_manifest_once(
    folder: Path, build_cache: BuildCache, overrides: Sequence[Path] = ()
) -> Manifest:
    """Share the manifest of the repository's files; read every other folder again."""
    if folder == STATIC and build_cache._folder == PACKED and not overrides:
        return _repository_manifest()
    return build_manifest(folder, build_cache, overrides)


@cache
def _repository_manifest() -> Manifest:
    return build_manifest(STATIC, BuildCache(PACKED))
