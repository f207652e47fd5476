"""Import a folder: every post in a transaction of its own, and a report at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.publishing.editing import validation
from app.publishing.errors import Invalid, PublishingError
from app.publishing.models import Kind

from . import plan, site_file, source_folder
from .plan import Entry
from .post import Job, import_post
from .post_finder import PostFinder
from .reference_targets import Folder
from .report import Outcome, Report
from .source_folder import Skipped, SourcePost

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Is called with the number of files that are done and of all."""


def import_folder(  # noqa: PLR0913 - one parameter for each option of the command
    root: Path,
    *,
    now: datetime,
    base_url: str = "",
    kind: Kind | None = None,
    dry_run: bool = False,
    drafts_for_unknown_tags: bool = False,
    progress: Progress = lambda _count, _total: None,
) -> Report:
    """Import or update the posts of a folder; unchanged posts are not written.

    `base_url` is where the old site stood: absolute links to it become links to the posts here.
    `kind` overrules the files. With `drafts_for_unknown_tags` a post that has a tag of an unknown
    kind stays a draft. Raises SourceError when the folder can't be read at all,
    Invalid for a `base_url` that is no address.
    """
    base_url = validation.validate_web_url("base_url", base_url, limit=500).rstrip("/")
    report = Report()
    planned = plan.make(db.session(), _posts(root, report), kind)
    db.session.rollback()  # reading is over; each post gets a transaction of its own
    for path, reason in planned.rejected_files.items():
        report.skip(path, None, reason)
    settings = site_file.load(root, report)
    if not dry_run:
        site_file.save_people(settings, report, now=now)
    folder = Folder(
        root=root,
        plan=planned,
        base_url=base_url,
        templates=settings.templates,
        finder=PostFinder.of(planned.entries.values()),
        drafts_for_unknown_tags=drafts_for_unknown_tags,
    )
    job = Job(folder=folder, now=now, report=report, dry_run=dry_run)
    for count, entry in enumerate(planned.entries.values(), 1):
        _import_one(job, entry)
        progress(count, len(planned.entries))
    if not dry_run:
        site_file.save_menu(settings, report, now=now)
    return report


def _posts(root: Path, report: Report) -> Iterator[SourcePost]:
    for post in source_folder.scan(root):
        if isinstance(post, Skipped):
            report.skip(post.path, post.line, post.reason)
        else:
            yield post


def _import_one(job: Job, entry: Entry) -> None:
    """Import one file; an error in it does not stop the others."""
    post = source_folder.read_post(job.folder.root, entry.path)
    if isinstance(post, Skipped):
        job.report.skip(post.path, post.line, post.reason)
        return
    warnings = len(job.report.warnings)
    try:
        outcome = import_post(job, entry, post)
    except PublishingError as error:
        del job.report.warnings[warnings:]
        job.report.skip(entry.path, _line(post, error), str(error))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("import.failed", extra={"path": str(entry.path)})
        del job.report.warnings[warnings:]
        reason = "can't be imported for a reason that the log tells; please report it"
        job.report.skip(entry.path, None, reason)
    else:
        job.report.counts[outcome] += 1
        if outcome is Outcome.IMPORTED and entry.slug != entry.preferred_slug:
            sentence = f"its slug is {entry.slug}, because {entry.preferred_slug} is taken"
            job.report.warn(entry.path, None, sentence)


def _line(post: SourcePost, error: PublishingError) -> int | None:
    if not isinstance(error, Invalid):
        return None
    return post.document.line_of({"summary": "description"}.get(error.field, error.field))
