"""Prepare posts ahead of their saving, in the order of the plan.

Processes convert the texts, and threads scale the images.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app.publishing.errors import Invalid, PublishingError

from . import post, text_processes
from .image_queue import ImageQueue
from .plan import Entry
from .post import Job, PrepareTools, Reading
from .report import Outcome, Report
from .save_post import PreparedPost
from .source_folder import Skipped, SourcePost
from .text_processes import TaskError, TextProcesses

log = logging.getLogger(__name__)

FEW_POSTS = 50
"""For fewer posts, starting processes takes longer than they save."""
MAX_JOBS = 8
_AHEAD = 100
"""The number of posts that are prepared, or being prepared, and not saved."""
_UNEXPECTED = "can't be imported for a reason that the log tells; please report it"


@dataclass(slots=True, kw_only=True)
class PreparedEntry:
    """A file of the plan: what is to be saved, or that nothing is; and its own remarks."""

    entry: Entry
    report: Report
    source: SourcePost | None = None
    ready: PreparedPost | None = None
    outcome: Outcome = Outcome.SKIPPED

    def skip(self, reason: str, line: int | None = None) -> None:
        """Say why the file is not imported; this replaces its other remarks."""
        self.ready, self.outcome = None, Outcome.SKIPPED
        self.report.warnings.clear()
        self.report.skip(self.entry.path, line, reason)

    def skip_after(self, error: PublishingError) -> None:
        """Say what is wrong, with the line of the front matter that is the cause."""
        self.skip(str(error), _line_of(self.source, error))

    def skip_unexpected(self, details: str) -> None:
        """Log an error that is ours, or one of the database."""
        values = {"path": str(self.entry.path)}
        log.error("import.failed: %s\n%s", self.entry.path, details, extra=values)
        self.skip(_UNEXPECTED)


def _line_of(source: SourcePost | None, error: PublishingError) -> int | None:
    if source is None or not isinstance(error, Invalid):
        return None
    return source.document.line_of({"summary": "description"}.get(error.field, error.field))


def count_jobs(wanted_jobs: int | None, posts: int) -> int:
    """Return how many processes convert texts: `wanted_jobs` of them, else by cores and posts."""
    if wanted_jobs is not None:
        return max(1, wanted_jobs)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return 1 if posts < FEW_POSTS else min(cores or 1, MAX_JOBS)


class Preparation:
    """Prepares posts, some ahead of the one that is asked for."""

    def __init__(self, job: Job, *, jobs: int, limit: timedelta = text_processes.LIMIT) -> None:
        self._job, self._jobs = job, jobs
        # Processes get the job without its report: a copy of it would say the same again.
        self._processes = TextProcesses(
            replace(job, report=Report(), fetcher=None), jobs, limit=limit
        )
        self._images = ImageQueue()
        # Threads need the app itself, and not the proxy.
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001

    def run(self, entries: Iterable[Entry]) -> Generator[PreparedEntry]:
        """Yield the posts in their order; closing the iterator ends the processes."""
        numbered = enumerate(entries)
        with self._executor() as executor:
            waiting: deque[Future[PreparedEntry]] = deque()
            number = 0
            while True:
                for one in islice(numbered, self._ahead - len(waiting)):
                    waiting.append(executor.submit(self._prepare, *one))
                if not waiting:
                    return
                self._images.start(number)
                yield waiting.popleft().result()
                number += 1

    def release(self, prepared: Iterable[PreparedEntry]) -> None:
        """Forget the images of posts that are saved."""
        for one in prepared:
            if one.ready is not None:
                self._images.release(one.ready.images.digests.values())

    @property
    def _ahead(self) -> int:
        return 1 if self._jobs == 1 else _AHEAD

    @contextmanager
    def _executor(self) -> Iterator[ThreadPoolExecutor]:
        # Half of the threads wait for texts while the others scale images.
        threads = 1 if self._jobs == 1 else 2 * self._jobs + 2
        executor = ThreadPoolExecutor(threads, thread_name_prefix="import")
        try:
            yield executor
        finally:
            self._images.start(2**62)  # let every thread end
            self._processes.close()
            executor.shutdown(cancel_futures=True)

    def _prepare(self, number: int, entry: Entry) -> PreparedEntry:
        """Prepare one file; an error in it does not stop the others."""
        prepared = PreparedEntry(entry=entry, report=Report())
        try:
            with self._app.app_context():  # so that this thread has a session of its own
                self._fill(prepared, number)
        except PublishingError as error:
            prepared.skip_after(error)
        except TaskError as error:
            prepared.skip_unexpected(str(error))
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - it is logged, and the other posts are imported
            prepared.skip_unexpected(traceback.format_exc())
        return prepared

    def _fill(self, prepared: PreparedEntry, number: int) -> None:
        entry = prepared.entry
        reading: Reading | Skipped = self._processes.run(post.read, entry.path)
        if isinstance(reading, Skipped):
            prepared.report.skip(reading.path, reading.line, reading.reason)
            return
        prepared.source = reading.post
        job = replace(self._job, report=prepared.report)
        scale = partial(self._images.scale, number)
        tools = PrepareTools(run=self._processes.run, scale=scale)
        prepared.ready = post.prepare(job, entry, reading, tools)
        if prepared.ready is None:
            prepared.outcome = Outcome.UNCHANGED
            return
        prepared.outcome = Outcome.UPDATED if entry.post_id else Outcome.IMPORTED
