"""Prepare one post for saving: read it, scale its images and render its text; no lock is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from sqlalchemy.orm import Session

from app.extensions import db
from app.publishing import text
from app.publishing.editing.draft import body
from app.publishing.editing.rendering import find_image, find_typography
from app.publishing.errors import Invalid
from app.publishing.files import MAX_BYTES
from app.publishing.images import MAX_BYTES as MAX_IMAGE
from app.publishing.text import Rendered, TextError

from . import (
    post_files,
    post_images,
    references,
    remarks,
    remote_images,
    save_post,
    source_folder,
)
from .author_names import Person
from .image_fetcher import ImageFetcher
from .markup import ConvertedText
from .markup_context import convert_post, draft_reasons
from .plan import Entry
from .post_files import PostFiles
from .post_images import PostImages, Scale
from .post_languages import PostLanguages
from .publication.decision import decide
from .publication.state import Publication, State
from .redirects.model import OldRedirect
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
    file_size: int = MAX_BYTES
    fetcher: ImageFetcher | None = None
    people: Mapping[str, Person] = field(default_factory=dict)
    default_author: str = ""
    redirects: list[OldRedirect] = field(default_factory=list)
    """Those of posts that only redirect; they are saved when all posts are."""
    rules: Rules = field(default_factory=Rules)
    languages: PostLanguages = field(default_factory=PostLanguages)


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
    language: str | None
    words: tuple[str, ...]
    """The inputs of the import that count for its digest, beside files."""
    remote_images: tuple[str, ...] = ()
    """The URLs of the images of other sites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """A text to render; `images` are those of the folder and of the site, by their references."""

    post: SourcePost
    images: Mapping[str, text.Image]
    targets: Mapping[str, str]
    links: Mapping[str, str]
    typography: text.Typography


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
    language = _find_language(job, post)
    words = (
        *_optional(language),
        str(entry.kind),
        job.folder.base_url,
        entry.source,
        held_back,
        converted.text,
    )
    return Reading(
        post=post,
        converted=converted,
        meaning=meaning,
        publication=publication,
        language=language,
        words=words,
        remote_images=_find_remote_images(post),
    )


def prepare(
    job: Job, entry: Entry, reading: Reading, tools: PrepareTools
) -> save_post.PreparedPost | None:
    """Scale the images and render the text, before any lock is taken; remarks go to the job.

    Returns None for a post that an earlier import has saved like this.
    """
    post, meaning = reading.post, reading.meaning
    remote = remote_images.find_images(
        db.session(), reading.remote_images, job.fetcher, dry_run=job.dry_run
    )
    digest = post_images.digest_of(
        job.folder.root,
        post.digest,
        meaning.images | meaning.files,
        (*reading.words, *remote.words),
        most=max(MAX_IMAGE, job.file_size),
    )
    remarks.warn_of_remote_images(job.report, post, meaning, remote)
    if digest == entry.digest:
        return None
    remarks.warn_of_publication(job.report, post, reading.publication)
    remarks.warn_about_tags(job.report, post, reading.converted)
    session = db.session()
    ready = post_images.prepare(
        session, job.folder.root, meaning.images.values(), scale=tools.scale
    )
    images = post_images.by_reference(meaning.images, ready.images) | remote.images
    meaning.remote.update((url, image.url) for url, image in remote.images.items())
    files = post_files.prepare(job.folder.root, meaning.files.values(), most=job.file_size)
    request = TextRequest(
        post=post,
        images=images | _stored_images(session, post.document.body),
        targets={
            **meaning.links,
            **{target: image.url for target, image in images.items()},
            **_file_urls(meaning, files),
        },
        links=meaning.links,
        typography=find_typography(session, reading.language),
    )
    session.rollback()  # no transaction stays open while the text is rendered
    markdown, rendered = tools.run(render, request)
    remarks.warn(job.report, post, meaning, ready.errors | files.errors, rendered.warnings)
    return save_post.PreparedPost(
        entry=entry,
        source_post=post,
        digest=digest,
        markdown=markdown,
        rendered=rendered,
        images=ready,
        files=files,
        remote=remote,
        cover=_cover(post, meaning, ready),
        prefix=job.folder.prefix,
        folder=str(job.folder.root),
        siblings=_own_siblings(job, entry),
        now=job.now,
        publication=reading.publication,
        base_url=job.folder.base_url,
        people=job.people,
        language=reading.language,
        default_author=job.default_author,
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
            typography=request.typography,
        )
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None
    return markdown, rendered


def _stored_images(session: Session, markdown: str) -> dict[str, text.Image]:
    """Return the images of the site that a text names by their own addresses."""
    sources = dict.fromkeys(_MEDIA.findall(markdown))
    images = ((source, find_image(session, source)) for source in sources)
    return {source: image for source, image in images if image is not None}


def _find_remote_images(post: SourcePost) -> tuple[str, ...]:
    """Return the URLs of the images of other sites that the text shows, and that of its cover."""
    targets = references.find(post.document.body)
    urls = [reference.target for reference in targets if reference.is_image]
    urls += [post.meta.image] if post.meta.image else []
    return tuple(url for url in dict.fromkeys(urls) if remote_images.is_remote(url))


def _find_language(job: Job, post: SourcePost) -> str | None:
    """Return the language of the post, or None if it is the site's."""
    is_stated_in_file = post.meta.language is not None
    return job.languages.find_own(post.language, is_stated_in_file=is_stated_in_file)


def _optional(language: str | None) -> tuple[str, ...]:
    """Return the language as a part of the digest; posts without one keep their digests."""
    return () if language is None else (f"lang {language}",)


def _file_urls(meaning: Translation, files: PostFiles) -> dict[str, str]:
    """Return the URL of each linked file by its target in the text."""
    paths = {file: prepared.path for file, prepared in files.files.items()}
    return {
        target: paths[file] + _fragment(target, file)
        for target, file in meaning.files.items()
        if file in paths
    }


def _fragment(target: str, file: PurePosixPath) -> str:
    """Return the place inside the file that a link names, such as `#page=3`."""
    path, mark, fragment = target.partition("#")
    is_name = unquote(path).lower().endswith(file.suffix.lower())
    return f"{mark}{fragment}" if is_name else ""


def _own_siblings(job: Job, entry: Entry) -> tuple[str, ...]:
    """The addresses that no other post has; none for a post that was written for this site."""
    if entry.source == entry.address:
        return ()
    return tuple(address for address in entry.siblings if job.folder.plan.at(address) is entry)


def _cover(post: SourcePost, meaning: Translation, ready: PostImages) -> PurePosixPath | None:
    file = meaning.images.get(post.meta.image or "")
    return file if file in ready.images else None
