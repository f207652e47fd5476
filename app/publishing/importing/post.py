"""Import one post: prepare it without a lock, then write it in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
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
from app.publishing.transaction import transaction

from . import post_files, post_images, references, remarks, remote_images, save_post
from .author_names import Person
from .image_fetcher import ImageFetcher
from .markup_context import convert_post, draft_reasons
from .plan import Entry
from .post_files import PostFiles
from .post_images import PostImages
from .post_languages import PostLanguages
from .publication.decision import decide
from .publication.state import State
from .redirects.model import OldRedirect
from .reference_targets import Folder, Translation, translate
from .remote_images import RemoteImages
from .report import Outcome, Report
from .source_folder import Rules, SourcePost


class _Undo(Exception):  # noqa: N818 - no error: it ends the transaction of a dry run
    """The dry run succeeded; roll back."""


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


def import_post(job: Job, entry: Entry, post: SourcePost) -> Outcome:
    """Bring one post in, or up to date; raises Invalid or Conflict for what can't be."""
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
        raise Invalid("status", next(reason.sentence for reason in publication.remarks))
    is_public = publication.state in {State.PUBLISHED, State.SCHEDULED}
    held_back = "" if is_public else publication.state.name
    remote = _remote_images(job, post)
    language = _find_language(job, post)
    words = (
        *_optional(language),
        str(entry.kind),
        job.folder.base_url,
        entry.source,
        held_back,
        converted.text,
    )
    digest = post_images.digest_of(
        job.folder.root,
        post.digest,
        meaning.images | meaning.files,
        (*words, *remote.words),
        most=max(MAX_IMAGE, job.file_size),
    )
    remarks.warn_of_remote_images(job.report, post, meaning, remote)
    if digest == entry.digest:
        _complete_record(job, entry)
        return Outcome.UNCHANGED
    remarks.warn_of_publication(job.report, post, publication)
    remarks.warn_about_tags(job.report, post, converted)
    ready = replace(
        _prepare(job, entry, post, meaning, remote), digest=digest, publication=publication
    )
    try:
        with transaction() as session:
            save_post.save(session, ready, job.report)
            if job.dry_run:
                raise _Undo  # noqa: TRY301 - leaving the block is what undoes it
    except _Undo:
        pass
    return Outcome.UPDATED if entry.post_id else Outcome.IMPORTED


def _remote_images(job: Job, post: SourcePost) -> RemoteImages:
    """Find, or fetch, the images of other sites that the text shows."""
    targets = references.find(post.document.body)
    urls = [reference.target for reference in targets if reference.is_image]
    cover = post.meta.image
    return remote_images.find_images(
        db.session(), (*urls, cover) if cover else urls, job.fetcher, dry_run=job.dry_run
    )


def _find_language(job: Job, post: SourcePost) -> str | None:
    """Return the language of the post, or None if it is the site's."""
    is_stated_in_file = post.meta.language is not None
    return job.languages.find_own(post.language, is_stated_in_file=is_stated_in_file)


def _optional(language: str | None) -> tuple[str, ...]:
    """Return the language as a part of the digest; posts without one keep their digests."""
    return () if language is None else (f"lang {language}",)


def _complete_record(job: Job, entry: Entry) -> None:
    """Record a new path of an unchanged file, or the path that an older import did not record."""
    if entry.is_recorded or entry.post_id is None or job.dry_run:
        return
    values = save_post.RecordValues(
        post_id=entry.post_id, digest=entry.digest, folder=str(job.folder.root), now=job.now
    )
    with transaction() as session:
        save_post.save_import_record(session, entry, values)


def _prepare(
    job: Job, entry: Entry, post: SourcePost, meaning: Translation, remote: RemoteImages
) -> save_post.PreparedPost:
    """Scale the images and render the text, before any lock is taken."""
    session = db.session()
    ready = post_images.prepare(session, job.folder.root, meaning.images.values())
    images = post_images.by_reference(meaning.images, ready.images) | remote.images
    meaning.remote.update((url, image.url) for url, image in remote.images.items())
    files = post_files.prepare(job.folder.root, meaning.files.values(), most=job.file_size)
    targets = {
        **meaning.links,
        **{target: image.url for target, image in images.items()},
        **_file_urls(meaning, files),
    }
    markdown = body(references.replace(post.document.body, targets))
    language = _find_language(job, post)
    typography = find_typography(session, language)
    resolver = _Resolver(session=session, images=images, links=meaning.links)
    rendered = _render(post.title, markdown, resolver, typography)
    remarks.warn(job.report, post, meaning, ready.errors | files.errors, rendered.warnings)
    return save_post.PreparedPost(
        entry=entry,
        source_post=post,
        digest="",
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
        base_url=job.folder.base_url,
        people=job.people,
        language=language,
        default_author=job.default_author,
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolver:
    """Finds what a text refers to: images of the folder or of the site, and posts."""

    session: Session
    images: Mapping[str, text.Image]
    links: Mapping[str, str]

    def find_image(self, source: str) -> text.Image | None:
        by_url = {image.url: image for image in self.images.values()}
        image = self.images.get(source) or by_url.get(source)
        return image or find_image(self.session, source)


def _render(
    title: str, markdown: str, resolver: _Resolver, typography: text.Typography
) -> Rendered:
    try:
        return text.render(
            markdown,
            title=title,
            resolve_image=resolver.find_image,
            resolve_link=resolver.links.get,
            typography=typography,
        )
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None
