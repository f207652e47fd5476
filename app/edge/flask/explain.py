"""Explain pages: why one is (not) cached, which pages show a row, and purging by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..changes.change import EVERYTHING_CHANGED
from ..changes.log import append_change
from ..gateway.finding_key import FINDING_KEY
from ..pages import impact
from ..pages.explain import (
    Explanation,
    describe_dependencies,
    find_last_change,
    registered_variants,
)
from ..pages.impact import Impact
from ..pages.resolve import find_affected_pages, manual_purge_change
from ..policy.guard import LEAK_REASONS
from ..policy.policy import PolicyError
from .dry_run import DryRunResult, dry_run
from .page_locations import locate_page
from .page_url import parse_page_url
from .response import POLICY_KEY
from .state import state_of
from .tracking import Tracker

if TYPE_CHECKING:
    from flask import Flask

_OTHER_REASONS = {
    "unmarked": "its route has no policy",
    "error-status": "it is an error response without a policy of its own",
}


def why(app: Flask, url: str) -> Explanation:
    """Explain a URL of this app: its policy, its dependencies and its stored copies.

    The page is rendered again without caches and not registered.
    """
    tracker, state = tracker_of(app), state_of(app)
    path = parse_page_url(url, tracker.site)
    result = dry_run(app, path, tracker.site)
    refusal, record = (
        _refusal_reason(result) or tracker.drift_monitor.current_problem() or "",
        result.record,
    )
    dependencies = record.dependencies if record is not None else set()
    registered_as = record.url if record is not None and record.url else path
    with tracker.read_transaction() as connection:
        copies = registered_variants(connection, registered_as)
        same = [copy.etag == record.etag for copy in copies if record and record.etag and copy.etag]
        return Explanation(
            url=registered_as,
            status=result.status,
            policy=str(result.environ.get(POLICY_KEY, "none")),
            unshareable_reason=refusal,
            variants=copies,
            fresh=all(same) if same else None,
            built_from=describe_dependencies(connection, tracker.watched_tables, dependencies),
            last_change=find_last_change(connection, dependencies),
            places=locate_page(connection, state.embedded_gateway, registered_as, state.clock()),
        )


def who(
    app: Flask, subject: str, *, columns: Iterable[str] = (), table: str | None = None
) -> Impact:
    """Return the pages that a change of a row affects; `subject` is its slug or path."""
    tracker = tracker_of(app)
    with tracker.read_transaction() as connection:
        return impact.impact_of_row(
            connection, impact.find_row(connection, tracker.watched_tables, subject, table), columns
        )


def purge(app: Flask, *, url: str | None = None, subject: str | None = None) -> Impact:
    """Purge a URL, the pages that show a row, or everything, at every tier.

    The purge is written to the change log, so it is delivered as reliably as any write. An app
    without tracking has no log; then only the gateway is purged.
    """
    if state_of(app).tracker is None and subject is None:
        return _purge_gateway(app, url)
    tracker = tracker_of(app)
    path = None if url is None else parse_page_url(url, tracker.site)
    url_changes = (
        [] if path is None else [manual_purge_change(path, tracker.tag(path), tracker.site)]
    )
    with tracker.change_log_transaction() as connection:
        if url_changes:
            what, changes = "The purge", url_changes
        elif subject is not None:
            row = impact.find_row(connection, tracker.watched_tables, subject)
            what, changes = f"The purge of {row.table} {row.label!r}", list(row.changes)
        else:
            what, changes = "The purge", [EVERYTHING_CHANGED]
        for change in changes:
            append_change(connection, change)
        return Impact.from_resolution(what, find_affected_pages(connection, changes))


def _purge_gateway(app: Flask, url: str | None) -> Impact:
    """Purge one URL or everything at the gateway of an app without tracking."""
    embedded = state_of(app).embedded_gateway
    if embedded is None:
        raise PolicyError(
            "This app has no gateway and does not track pages: purge the edges in front by hand."
        )
    if url is None:
        count = embedded.gateway.purge_all()
        return Impact(
            subject="The purge",
            urls=(),
            everything_reason=f"{count} pages were purged from the gateway",
        )
    try:
        purged_count = embedded.gateway.purge(url)
    except ValueError as error:
        raise PolicyError(f"{url!r} can't be purged: {error}") from None
    return Impact(subject="The purge", urls=(url,) if purged_count else ())


def tracker_of(app: Flask) -> Tracker:
    """Return the tracker of an app; raises PolicyError if the app has none."""
    state = state_of(app)
    if state.tracker is None and state.first_use is not None:
        state.first_use.connect()
        if state.tracker is None:
            raise PolicyError(f"The edge is not connected: {state.first_use.reason}.")
    tracker = state.tracker
    if not isinstance(tracker, Tracker):
        raise PolicyError("This app does not track what its pages read: call edge.track().")
    return tracker


def _refusal_reason(result: DryRunResult) -> str:
    if result.leak:
        return result.leak
    if result.record is not None and result.record.unshareable_reason is not None:
        return result.record.unshareable_reason
    code = str(result.environ.get(FINDING_KEY, ""))
    if code == "reads-unknown" and result.record is not None and result.record.clock is not None:
        return result.record.clock.what
    return LEAK_REASONS.get(code) or _OTHER_REASONS.get(code, code)
