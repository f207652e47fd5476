"""One post of the folder: what becomes of its file, prepared first, then written as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from sqlalchemy.orm import Session

from app.extensions import db
from app.publishing import text
from app.publishing.editing.draft import body
from app.publishing.editing.rendering import find_image
from app.publishing.errors import Invalid
from app.publishing.text import Rendered, TextError
from app.publishing.transaction import transaction

from . import post_images, references, remarks, save_post
from .plan import Entry
from .post_images import Pictures
from .reference_targets import Folder, Translation, translate
from .report import Outcome, Report
from .source_folder import Found


class _Undo(Exception):  # noqa: N818 - no error: it ends the transaction of a dry run
    """Everything worked; now undo it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a folder is imported; a dry run does everything and keeps nothing."""

    folder: Folder
    now: datetime
    report: Report
    dry_run: bool = False


def import_post(job: Job, entry: Entry, found: Found) -> Outcome:
    """Bring one post in, or up to date; raises Invalid or Conflict for what can't be."""
    meaning = translate(job.folder, entry, found)
    words = (str(entry.kind), job.folder.base_url, entry.source)
    digest = post_images.digest_of(job.folder.root, found.digest, meaning.images, words)
    if digest == entry.digest:
        return Outcome.UNCHANGED
    ready = _prepare(job, entry, found, meaning, digest)
    try:
        with transaction() as session:
            save_post.save(session, ready, job.report)
            if job.dry_run:
                raise _Undo  # noqa: TRY301 - leaving the block is what undoes it
    except _Undo:
        pass
    return Outcome.UPDATED if entry.post_id else Outcome.IMPORTED


def _prepare(
    job: Job, entry: Entry, found: Found, meaning: Translation, digest: str
) -> save_post.Ready:
    """Scale the images and render the text, before any lock is taken."""
    session = db.session()
    ready = post_images.prepare(session, job.folder.root, meaning.images.values())
    shown = post_images.by_reference(meaning.images, ready.shown)
    targets = meaning.links | {target: image.url for target, image in shown.items()}
    markdown = body(references.replace(found.document.body, targets))
    rendered = _render(session, found.title, markdown, shown, meaning.links)
    remarks.warn(job.report, found, meaning, ready, rendered.warnings)
    return save_post.Ready(
        entry=entry,
        found=found,
        digest=digest,
        markdown=markdown,
        rendered=rendered,
        pictures=ready,
        cover=_cover(found, meaning, ready),
        prefix=job.folder.prefix,
        now=job.now,
    )


def _cover(found: Found, meaning: Translation, ready: Pictures) -> PurePosixPath | None:
    file = meaning.images.get(found.meta.image or "")
    return file if file in ready.shown else None


def _render(
    session: Session,
    title: str,
    markdown: str,
    shown: dict[str, text.Image],
    links: dict[str, str],
) -> Rendered:
    images = {image.url: image for image in shown.values()} | shown
    try:
        return text.render(
            markdown,
            title=title,
            resolve_image=lambda source: images.get(source) or find_image(session, source),
            resolve_link=links.get,
        )
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None
