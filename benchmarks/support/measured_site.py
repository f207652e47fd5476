"""The real app behind its gateway, and what was purged of it: rightly, or for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from app.edge.changes.change import Change, Op
from app.edge.changes.log import changes_since
from app.edge.changes.log_position import current_log_position
from app.edge.dependencies import Dependency, matches, recorder
from app.edge.dependencies.engine_events import INTERNAL_OPTIONS
from app.edge.flask.tracking import Tracker
from app.edge.policy.guard import GuardFinding
from app.extensions import db

from .editors import Edit
from .purge_strategies import Tally
from .wsgi_client import ask

MOST_CHANGES = 1000


@dataclass(slots=True)
class Notebook:
    """A tracker that also keeps what each page was built from."""

    tracker: Tracker
    built_from: dict[str, Collection[Dependency]] = field(default_factory=dict)

    def start_recording(self) -> None:
        """Record what is read from now on."""
        self.tracker.start_recording()

    def register_response(self, view: str, url: str, *rest: Any) -> GuardFinding | None:
        """Note what the page was built from, and register it."""
        record = recorder.current_record()
        if record is not None:
            self.built_from[url] = frozenset(record.dependencies)
        return self.tracker.register_response(view, url, *rest)


class Ours:
    """Asks the real gateway, and follows what is purged from it."""

    def __init__(self, app: Flask, fresh: Callable[[str], bytes]) -> None:
        self.name = "ours"
        self.tally = Tally()
        self.held_pages: dict[str, bytes] = {}
        self.purges: Counter[tuple[str, str]] = Counter()
        self.needless: Counter[tuple[str, str]] = Counter()
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        self.app = app
        self._fresh = fresh
        self._purged: set[str] = set()
        state = app.extensions["edge"]
        state.tracker = self._notebook = Notebook(state.tracker)
        self._follow(state.embedded_gateway.gateway)

    def _follow(self, gateway: Any) -> None:
        purge, purge_all = gateway.purge, gateway.purge_all

        def one(url: str) -> int:
            self._purged.add(url)
            return int(purge(url))

        def everything() -> int:
            self._purged.update(self.held_pages)
            return int(purge_all())

        gateway.purge, gateway.purge_all = one, everything

    def visit(self, path: str, fresh: bytes, *, first: bool) -> None:
        """Ask for a page; what the reader gets must be what is fresh."""
        answer = ask(self.app, path)
        self.tally.visits += 1
        self.tally.stale += answer.digest != fresh
        if not answer.hit:
            self.tally.renders += not first
            self.held_pages[path] = answer.digest

    def edited(self, write: Callable[[], Edit]) -> Edit:
        """Let somebody write, and see which pages were purged for nothing."""
        self._purged.clear()
        with self.app.app_context(), _connection() as connection:
            before = current_log_position(connection)
        edit = write()
        with self.app.app_context(), _connection() as connection:
            changes = changes_since(connection, before, limit=MOST_CHANGES) or []
        for path in self._purged & self.held_pages.keys():
            page = edit.kind, self._view(path)
            self.purges[page] += 1
            if self._fresh(path) == self.held_pages.pop(path):
                self.needless[page] += 1
                reasons = set(_reasons(self._notebook.built_from.get(path, ()), changes))
                self.reasons.update((*page, reason) for reason in reasons)
        return edit

    def _view(self, path: str) -> str:
        endpoint, _ = self.app.url_map.bind("127.0.0.1").match(path)
        return str(endpoint).removeprefix("site.")

    def sweep(self, paths: Iterable[str]) -> list[str]:
        """The pages among these that the gateway holds and that are old."""
        return [path for path in paths if ask(self.app, path).digest != self._fresh(path)]


def _connection() -> Any:
    return db.engine.connect().execution_options(**INTERNAL_OPTIONS)


def _reasons(dependencies: Collection[Dependency], changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        for dependency in dependencies:
            if matches(dependency, change):
                yield f"{_described(dependency)} heard {_what(change, dependency)}"


def _what(change: Change, dependency: Any) -> str:
    if change.op is not Op.UPDATE:
        return f"{change.op.name.lower()} of {change.table}"
    columns = getattr(dependency, "columns", None) or getattr(
        dependency, "referenced_columns", None
    )
    changed_columns = change.changed_columns
    return ", ".join(sorted(changed_columns & columns if columns else changed_columns))


def _described(dependency: Any) -> str:
    parts = [type(dependency).__name__.lower(), getattr(dependency, "table", "")]
    equalities = getattr(dependency, "equalities", ())
    if equalities:
        parts.append(f"with {', '.join(name for name, _ in equalities)}")
    if getattr(dependency, "interval", None) is not None:
        parts.append(f"within {dependency.interval.column}")
    return " ".join(parts)
