"""Prepare one post for saving: read it, scale its images and render its text; no lock is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from app.extensions import db
from app.publishing import text
from app.publishing.editing.draft import body
from app.publishing.editing.rendering import find_image
from app.publishing.errors import Invalid
from app.publishing.text import Rendered, TextError

from . import post_images, references, remarks, save_post, source_folder
from .author_names import Person
from .markup import ConvertedText
from .markup_context import convert_post, draft_reasons
from .plan import Entry
from .post_images import PostImages, Scale
from .publication.decision import decide
from .publication.state import Publication, State
from .reference_targets import Folder, Translation, translate
from .report import Report
from .source_folder import Rules, Skipped, SourcePost

_MEDIA = re.compile(r"/media/[0-9a-f]{20}/[^\s()<>\"'\]]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The options of an import; a dry run does everything and rolls back."""

    folder: Folder
    now: datetime
    report: Report
    dry_run: bool = False
    people: Mapping[str, Person] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareTools:
    """How a post is prepared: `run(function, …)` calls `function(job, …)`, maybe elsewhere."""

    run: Callable[..., Any]
    scale: Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A post with its tags converted, and the decisions that need no database."""

    post: SourcePost
    converted: ConvertedText
    meaning: Translation
    publication: Publication
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """A text to render; `images` are those of the folder and of the site, by their references."""

    post: SourcePost
    images: Mapping[str, text.Image]
    targets: Mapping[str, str]
    links: Mapping[str, str]


def read(job: Job, path: PurePosixPath) -> Reading | Skipped:
    """Read a file and convert its tags; uses no database, so that any process can do it."""
    post = source_folder.read_post(job.folder.root, path, rules=job.rules)
    if isinstance(post, Skipped):
        return post
    entry = job.folder.plan.entries[path]
    post, converted = convert_post(job.folder, post)
    meaning = translate(job.folder, entry, post)
    publication = decide(
        post.meta.publication,
        now=job.now,
        tool=post.tool,
        zone=post.zone,
        fallback=post.meta.name_date,
        reasons=(*post.reasons, *draft_reasons(converted)),
    )
    if publication.state is State.SKIPPED:
        reason = next(reason.sentence for reason in publication.remarks)
        return Skipped(path=path, line=post.document.line_of("status"), reason=reason)
    is_public = publication.state in {State.PUBLISHED, State.SCHEDULED}
    held_back = "" if is_public else publication.state.name
    words = (str(entry.kind), job.folder.base_url, entry.source, held_back, converted.text)
    digest = post_images.digest_of(job.folder.root, post.digest, meaning.images, words)
    return Reading(
        post=post, converted=converted, meaning=meaning, publication=publication, digest=digest
    )


def prepare(
    job: Job, entry: Entry, reading: Reading, tools: PrepareTools
) -> save_post.PreparedPost:
    """Scale the images and render the text, before any lock is taken; remarks go to the job."""
    post, meaning = reading.post, reading.meaning
    remarks.warn_of_publication(job.report, post, reading.publication)
    remarks.warn_about_tags(job.report, post, reading.converted)
    session = db.session()
    ready = post_images.prepare(
        session, job.folder.root, meaning.images.values(), scale=tools.scale
    )
    images = post_images.by_reference(meaning.images, ready.images)
    request = TextRequest(
        post=post,
        images=images | _stored_images(session, post.document.body),
        targets=meaning.links | {target: image.url for target, image in images.items()},
        links=meaning.links,
    )
    session.rollback()  # no transaction stays open while the text is rendered
    markdown, rendered = tools.run(render, request)
    remarks.warn(job.report, post, meaning, ready, rendered.warnings)
    return save_post.PreparedPost(
        entry=entry,
        source_post=post,
        digest=reading.digest,
        markdown=markdown,
        rendered=rendered,
        images=ready,
        cover=_cover(post, meaning, ready),
        prefix=job.folder.prefix,
        folder=str(job.folder.root),
        siblings=_own_siblings(job, entry),
        now=job.now,
        publication=reading.publication,
        base_url=job.folder.base_url,
        people=job.people,
    )


def render(_job: Job, request: TextRequest) -> tuple[str, Rendered]:
    """Return the Markdown with its targets replaced, and its rendered text.

    Raises Invalid for a text that is too large or nested too deeply.
    """
    images = {image.url: image for image in request.images.values()} | dict(request.images)
    markdown = body(references.replace(request.post.document.body, request.targets))
    try:
        rendered = text.render(
            markdown,
            title=request.post.title,
            resolve_image=images.get,
            resolve_link=request.links.get,
        )
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None
    return markdown, rendered


def _stored_images(session: Session, markdown: str) -> dict[str, text.Image]:
    """Return the images of the site that a text names by their own addresses."""
    sources = dict.fromkeys(_MEDIA.findall(markdown))
    images = ((source, find_image(session, source)) for source in sources)
    return {source: image for source, image in images if image is not None}


def _own_siblings(job: Job, entry: Entry) -> tuple[str, ...]:
    """The addresses that no other post has; none for a post that was written for this site."""
    if entry.source == entry.address:
        return ()
    return tuple(address for address in entry.siblings if job.folder.plan.at(address) is entry)


def _cover(post: SourcePost, meaning: Translation, ready: PostImages) -> PurePosixPath | None:
    file = meaning.images.get(post.meta.image or "")
    return file if file in ready.images else None
