"""Asking why: a page is made once more, for nobody, and what it read is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.test import Client

from ..changes.change import EVERYTHING
from ..changes.log import append
from ..gateway.exchange import FINDING
from ..guard import REASONS, Leak
from ..index import search
from ..index.explain import Explanation, in_words, kept, touch
from ..index.resolve import affected, asked_for
from ..index.search import Touched
from ..policy import PolicyError
from ..reads import recorder
from .places import places
from .responses import POLICY_KEY
from .tracking import Tracker

if TYPE_CHECKING:
    from flask import Flask

    from ..reads.recorder import Record

_OTHERS = {
    "unmarked": "its route says nothing about sharing",
    "error-status": "it is an error that nobody promised to share",
}


def why(app: Flask, url: str) -> Explanation:
    """Explain a URL of this app: its policy, what it is built from, and what is kept of it.

    The page is made once more, past every cache, and registered nowhere.
    """
    tracker, state = tracker_of(app), app.extensions["edge"]
    path = _path(url)
    # An empty context: what whoever asks has loaded already would not be read again.
    status, policy, refused, record = Context().run(_made, app, path, tracker.site)
    refused = refused or tracker.watchman.trouble() or ""
    dependencies = record.dependencies if record is not None else set()
    registered_as = record.url if record is not None and record.url else path
    with tracker.reading() as connection:
        copies = kept(connection, registered_as)
        same = [copy.etag == record.etag for copy in copies if record and record.etag and copy.etag]
        return Explanation(
            url=registered_as,
            status=status,
            policy=policy,
            refused=refused,
            kept=copies,
            fresh=all(same) if same else None,
            built_from=in_words(connection, tracker.watched, dependencies),
            touched=touch(connection, dependencies),
            places=places(connection, state.embedded, registered_as, state.clock()),
        )


def who(
    app: Flask, asked: str, *, columns: Iterable[str] = (), table: str | None = None
) -> Touched:
    """The pages that a change of a row would touch; a slug or a path names the row."""
    tracker = tracker_of(app)
    with tracker.reading() as connection:
        return search.who(
            connection, search.find(connection, tracker.watched, asked, table), columns
        )


def purge(app: Flask, *, url: str | None = None, subject: str | None = None) -> Touched:
    """Let every edge forget a URL, the pages that show a row, or everything.

    It goes through the change log, so that it is delivered as surely as any write.
    """
    tracker = tracker_of(app)
    asked = [] if url is None else [asked_for(_path(url), tracker.tag(_path(url)))]
    with tracker.logging() as connection:
        if asked:
            what, changes = "The purge", asked
        elif subject is not None:
            found = search.find(connection, tracker.watched, subject)
            what, changes = f"The purge of {found.table} {found.label!r}", list(found.changes)
        else:
            what, changes = "The purge", [EVERYTHING]
        for change in changes:
            append(connection, change)
        return Touched.by(what, affected(connection, changes))


def tracker_of(app: Flask) -> Tracker:
    """What follows the pages of an app; raises PolicyError where nothing does."""
    tracker = app.extensions["edge"].tracker
    if not isinstance(tracker, Tracker):
        raise PolicyError("Nothing follows what this app's pages read: call edge.track().")
    return tracker


def _path(url: str) -> str:
    """The path and query of a URL, which may be spelt with its host."""
    parts = urlsplit(url)
    return "/" + parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")


def _made(app: Flask, path: str, site: str) -> tuple[int, str, str, Record | None]:
    """Make a page: its status, policy, the reason why it is not shared, and what it read."""
    seen: dict[str, Any] = {}

    def past_every_cache(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal seen
        seen = environ
        return type(app).wsgi_app(app, environ, start_response)

    with recorder.rehearsing() as records:
        try:
            status = (
                Client(past_every_cache, use_cookies=False).get(path, base_url=site).status_code
            )
        except Leak as leak:
            return 500, str(seen.get(POLICY_KEY, "none")), str(leak), _last(records)
    record = _last(records)
    return status, str(seen.get(POLICY_KEY, "none")), _refused(seen, record), record


def _last(records: Sequence[Record]) -> Record | None:
    return records[-1] if records else None


def _refused(environ: Mapping[str, Any], record: Record | None) -> str:
    if record is not None and record.spoilt is not None:
        return record.spoilt
    code = str(environ.get(FINDING, ""))
    return REASONS.get(code) or _OTHERS.get(code, code)
