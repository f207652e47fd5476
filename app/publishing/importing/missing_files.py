"""Posts whose files are gone from the folder: they are named, and archived on request."""

from __future__ import annotations

from app.extensions import db
from app.publishing import actions
from app.publishing.errors import PublishingError
from app.publishing.models import Imported, Post, Status
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction

from .identity import Record
from .post import Job


def report_missing(job: Job, *, prune: bool) -> None:
    """Name each post whose file is gone; with `prune`, archive it."""
    for record in job.folder.plan.missing:
        post = db.session.get(Post, record.post_id)
        if post is None or post.status is Status.ARCHIVED:
            continue
        _report(job, record, post, prune=prune)
    db.session.rollback()


def _report(job: Job, record: Record, post: Post, *, prune: bool) -> None:
    path, version = post.path, post.version
    sentence = f"the file is gone; its post {path} stays as it is (--prune archives it)"
    if prune and job.dry_run:
        sentence = f"the file is gone; its post {path} would be archived"
    elif prune:
        try:
            _archive(record, post, version, job)
            sentence = f"the file is gone; its post {path} was archived"
        except PublishingError as error:
            sentence = f"the file is gone, and its post {path} can't be archived: {error}"
    job.report.warn(record.path, None, sentence)


def _archive(record: Record, post: Post, version: int, job: Job) -> None:
    """Archive the post, and record that no person did it: its file may return."""
    with transaction() as session:
        archived = actions.archive(post.id, expected_version=version, now=job.now, actor=SYSTEM)
        session.flush()
        imported = session.get_one(Imported, record.id)
        imported.pruned_version = archived.version
        imported.digest = ""  # a returning file counts as changed
