"""Asking why: a page is made once more, for nobody, and what it read is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..changes.change import EVERYTHING
from ..changes.log import append
from ..gateway.exchange import FINDING
from ..guard import REASONS
from ..index import search
from ..index.explain import Explanation, in_words, kept, touch
from ..index.resolve import affected, asked_for
from ..index.search import Touched
from ..policy import PolicyError
from .address import named
from .places import places
from .rehearsing import Rehearsed, rehearsed
from .responses import POLICY_KEY
from .tracking import Tracker

if TYPE_CHECKING:
    from flask import Flask

_OTHERS = {
    "unmarked": "its route says nothing about sharing",
    "error-status": "it is an error that nobody promised to share",
}


def why(app: Flask, url: str) -> Explanation:
    """Explain a URL of this app: its policy, what it is built from, and what is kept of it.

    The page is made once more, past every cache, and registered nowhere.
    """
    tracker, state = tracker_of(app), app.extensions["edge"]
    path = named(url, tracker.site)
    made = rehearsed(app, path, tracker.site)
    refused, record = _refused(made) or tracker.watchman.trouble() or "", made.record
    dependencies = record.dependencies if record is not None else set()
    registered_as = record.url if record is not None and record.url else path
    with tracker.reading() as connection:
        copies = kept(connection, registered_as)
        same = [copy.etag == record.etag for copy in copies if record and record.etag and copy.etag]
        return Explanation(
            url=registered_as,
            status=made.status,
            policy=str(made.environ.get(POLICY_KEY, "none")),
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

    It goes through the change log, so that it is delivered as surely as any write. Where nothing
    is tracked there is no log, and no edge but the gateway is purged.
    """
    if app.extensions["edge"].tracker is None and subject is None:
        return _purge_gateway(app, url)
    tracker = tracker_of(app)
    path = None if url is None else named(url, tracker.site)
    asked = [] if path is None else [asked_for(path, tracker.tag(path), tracker.site)]
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


def _purge_gateway(app: Flask, url: str | None) -> Touched:
    """Purge the gateway of an app that tracks nothing: one URL, or everything."""
    embedded = app.extensions["edge"].embedded
    if embedded is None:
        raise PolicyError(
            "This app has no gateway and tracks nothing: purge the edges in front by hand."
        )
    if url is None:
        count = embedded.gateway.purge_all()
        return Touched(what="The purge", urls=(), everything=f"{count} pages left the gateway")
    try:
        found = embedded.gateway.purge(url)
    except ValueError as error:
        raise PolicyError(f"{url!r} can't be purged: {error}") from None
    return Touched(what="The purge", urls=(url,) if found else ())


def tracker_of(app: Flask) -> Tracker:
    """What follows the pages of an app; raises PolicyError where nothing does."""
    tracker = app.extensions["edge"].tracker
    if not isinstance(tracker, Tracker):
        raise PolicyError("Nothing follows what this app's pages read: call edge.track().")
    return tracker


def _refused(made: Rehearsed) -> str:
    if made.leak:
        return made.leak
    if made.record is not None and made.record.spoilt is not None:
        return made.record.spoilt
    code = str(made.environ.get(FINDING, ""))
    if code == "reads-unknown" and made.record is not None and made.record.clock is not None:
        return made.record.clock.what
    return REASONS.get(code) or _OTHERS.get(code, code)
