"""Save prepared posts in batches: one transaction, and one flush of purges, for some dozen posts.

A post that can't be saved does not lose the others: each has a savepoint.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from threading import current_thread, main_thread
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.publishing.errors import PublishingError
from app.publishing.transaction import transaction

from . import save_post
from .batch_rows import BatchRows
from .image_queue import MAX_WAITING_BYTES, size_of
from .post import Job
from .preparation import PreparedEntry
from .redirects.model import OldRedirect, find_redirect_target
from .report import Outcome, Report
from .save_post import OldAddress
from .source_folder import SourcePost

POSTS = 50
_DRY_RUN_POSTS = 500
"""A dry run rolls back, so that posts of one transaction alone see each other's redirects."""

_PAUSE = timedelta(seconds=2)
"""Posts that come slowly are saved after this time, so that the progress is seen and kept."""

_OF_ONE_POST = (DataError, IntegrityError, PendingRollbackError)
"""Errors that the database raises for the values of a post; others end the import."""


class _Undo(Exception):  # noqa: N818 - no error: it ends the transaction of a dry run
    """The dry run succeeded; roll back."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Posts that are saved together."""

    prepared: list[PreparedEntry] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    bytes: int = 0

    def add(self, one: PreparedEntry) -> None:
        """Add the next post of the plan."""
        self.prepared.append(one)
        if one.ready is not None:
            self.bytes += size_of(one.ready.images.new_images.values())

    def is_full(self, job: Job) -> bool:
        """Whether the posts should be saved before more are added."""
        most = _DRY_RUN_POSTS if job.dry_run else POSTS
        is_late = time.monotonic() - self.began > _PAUSE.total_seconds() and not job.dry_run
        if job.fetcher is not None:
            return True  # so that the next post finds the images that this one has fetched
        return len(self.prepared) >= most or self.bytes > MAX_WAITING_BYTES // 2 or is_late


def make_batches(job: Job, prepared: Iterable[PreparedEntry]) -> Iterator[list[PreparedEntry]]:
    """Yield the posts in their order, as many at a time as one transaction writes."""
    batch = Batch()
    for one in prepared:
        batch.add(one)
        if batch.is_full(job):
            yield batch.prepared
            batch = Batch()
    if batch.prepared:
        yield batch.prepared


def save_batch(job: Job, batch: list[PreparedEntry]) -> None:
    """Write the posts in one transaction, then report them; Ctrl-C waits until both are done."""
    with _without_interrupts():
        if any(_has_writes(job, one) for one in batch):
            with suppress(_Undo), transaction() as session:
                _save_all(session, job, batch)
                if job.dry_run:
                    raise _Undo
        for one in batch:
            _report(job, one)


def _has_writes(job: Job, one: PreparedEntry) -> bool:
    return one.ready is not None or _needs_record(job, one)


def _needs_record(job: Job, one: PreparedEntry) -> bool:
    """Whether an unchanged file has a new path, or one that an older import did not record."""
    entry = one.entry
    is_unchanged = one.outcome is Outcome.UNCHANGED and entry.post_id is not None
    return is_unchanged and not entry.is_recorded and not job.dry_run


def _save_all(session: Session, job: Job, batch: list[PreparedEntry]) -> None:
    """Write the posts one after another, and then their redirects together."""
    addresses: list[tuple[OldAddress, PurePosixPath, Report]] = []
    rows = _load_rows(session, batch)
    for one in batch:
        result = _save(session, job, one, rows)
        if result is None:
            rows = _load_rows(session, batch)  # the undone post may have added some
        else:
            addresses += ((address, one.entry.path, one.report) for address in result)
    save_post.add_redirects(addresses, now=job.now)


def _load_rows(session: Session, batch: list[PreparedEntry]) -> BatchRows:
    ids = [save_post.find_feed_id(one.ready) for one in batch if one.ready is not None]
    return BatchRows.load(session, [one.entry for one in batch], ids)


def _save(
    session: Session, job: Job, one: PreparedEntry, rows: BatchRows
) -> list[OldAddress] | None:
    """Write one post, and return its old addresses; None if it was wrong, and undone."""
    try:
        with session.begin_nested():
            if one.ready is not None:
                return save_post.save(session, one.ready, one.report, rows)
            if _needs_record(job, one):
                _complete_record(session, job, one, rows)
            return []
    except PublishingError as error:
        one.skip_after(error)
    except StaleDataError:
        one.skip("was saved by another user in the meantime; import the folder again")
    except _OF_ONE_POST:
        one.skip_unexpected(traceback.format_exc())
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001 - it is logged, and the other posts are imported
        one.skip_unexpected(traceback.format_exc())
    return None


def _complete_record(session: Session, job: Job, one: PreparedEntry, rows: BatchRows) -> None:
    entry = one.entry
    values = save_post.RecordValues(
        post_id=entry.post_id or 0,
        digest=entry.digest,
        folder=str(job.folder.root),
        now=job.now,
    )
    save_post.save_import_record(session, entry, values, rows)


def _report(job: Job, one: PreparedEntry) -> None:
    report, entry = job.report, one.entry
    report.skipped.extend(one.report.skipped)
    report.warnings.extend(one.report.warnings)
    report.counts[one.outcome] += 1
    if one.outcome is Outcome.SKIPPED or one.source is None:
        return
    _note_redirect(job, one.source)
    if entry.source != entry.address:
        report.old_addresses.append(job.folder.prefix + one.source.source_url)
    if one.outcome is Outcome.IMPORTED and entry.slug != entry.preferred_slug:
        sentence = f"its slug is {entry.slug}, because {entry.preferred_slug} is taken"
        report.warn(entry.path, None, sentence)


def _note_redirect(job: Job, post: SourcePost) -> None:
    """Remember where a post redirects that shows no text of its own."""
    if target := find_redirect_target(post.meta.publication):
        line = post.document.line_of("redirect_to")
        job.redirects.extend(
            OldRedirect(
                source=job.folder.prefix + address, target=target, file=str(post.path), line=line
            )
            for address in (post.source_url, *post.aliases)
        )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block."""
    if current_thread() is not main_thread():
        yield
        return
    signals: list[tuple[Any, ...]] = []
    before = signal.signal(signal.SIGINT, lambda *arguments: signals.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if signals and callable(before):
        handler: Callable[..., Any] = before
        handler(*signals[0])
