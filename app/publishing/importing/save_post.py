"""Saving one imported post: authors, topics, images, text, status and old addresses at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, PostRedirect, TopicDraft
from app.publishing.editing import files, images
from app.publishing.errors import Invalid
from app.publishing.models import Author, Imported, Kind, Post, Status, Topic
from app.publishing.paths import find_query_error, normal, to_url
from app.publishing.permissions import SYSTEM
from app.publishing.text import Rendered

from . import feed_ids, remote_images
from .author_names import Person
from .batch_rows import BatchRows
from .extra_fields import select_fields
from .names import NameIndex, Row
from .plan import Entry
from .post_files import PostFiles
from .post_images import PostImages
from .publication.state import PUBLIC, Publication, State
from .redirects.model import find_redirect_target
from .remote_images import RemoteImages
from .report import Report
from .source_folder import SourcePost

_MAX_PATH = 500
_MAX_SHOWN = 100
"""The longest part of an old address in a remark."""

_MENU = 1000
"""The menu position of a page whose file asks for the menu without a position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPost:
    """A post whose text is rendered and whose images are scaled: only the writing is left."""

    entry: Entry
    source_post: SourcePost
    digest: str
    markdown: str
    rendered: Rendered
    images: PostImages
    files: PostFiles
    remote: RemoteImages
    cover: PurePosixPath | None
    prefix: str
    folder: str
    siblings: tuple[str, ...]
    now: datetime
    publication: Publication = PUBLIC
    language: str | None = None
    base_url: str = ""
    people: Mapping[str, Person] = field(default_factory=dict)
    default_author: str = ""
    returns: bool = False
    """Whether `--prune` archived the post, and no person has changed it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValues:
    """What is recorded of an import besides the file itself."""

    post_id: int
    digest: str
    folder: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OldAddress:
    """An old address of a saved post, to be redirected to it; `is_stated` if its file says so."""

    redirect: PostRedirect
    is_stated: bool


def save(
    session: Session, ready: PreparedPost, report: Report, rows: BatchRows
) -> list[OldAddress]:
    """Write everything of one post but its redirects, inside the caller's transaction.

    Returns the addresses that are to be redirected to it.
    """
    media = {
        file: images.store(new, now=ready.now).id for file, new in ready.images.new_images.items()
    }
    for file in ready.files.files.values():
        files.store(file, now=ready.now)
    remote_images.store(session, ready.remote, now=ready.now)
    cover_id = _cover_id(session, ready, media)
    draft = _draft(ready, cover_id, rows)
    ready = replace(ready, returns=_was_pruned(session, ready.entry))
    fields = _select_fields(ready, report)
    if ready.entry.post_id is None:
        draft = replace(draft, feed_id=_feed_id(ready, report, rows), extra_fields=fields)
        is_public = _STATUSES[ready.publication.state] is Status.PUBLISHED
        saved = actions.create(
            draft, now=ready.now, rendered=ready.rendered, publish=is_public, actor=SYSTEM
        )
    else:
        saved = _revise(session, ready.entry.post_id, draft, ready)
        _save_extra_fields(session, saved, fields)
    _apply_status(saved, _target_status(ready, saved), ready)
    values = RecordValues(post_id=saved.id, digest=ready.digest, folder=ready.folder, now=ready.now)
    save_import_record(session, ready.entry, values, rows)
    _name_impossible_redirects(ready, report)
    return _old_addresses(saved, ready)


def _was_pruned(session: Session, entry: Entry) -> bool:
    """Tell whether an import archived the post because its file was gone, and no person since."""
    record = session.get(Imported, entry.record.id) if entry.record else None
    if record is None or record.pruned_version is None:
        return False
    pruned_version, record.pruned_version = record.pruned_version, None
    return session.get_one(Post, record.post_id).version == pruned_version


def _cover_id(session: Session, ready: PreparedPost, new: dict[PurePosixPath, int]) -> int | None:
    if ready.cover is None:
        digest = ready.remote.digests.get(ready.source_post.meta.image or "")
        remote = images.find_media(session, digest) if digest else None
        return None if remote is None else remote.id
    if ready.cover in new:
        return new[ready.cover]
    existing = images.find_media(session, ready.images.digests[ready.cover])
    return None if existing is None else existing.id


def _draft(ready: PreparedPost, cover_id: int | None, rows: BatchRows) -> Draft:
    meta, entry = ready.source_post.meta, ready.entry
    alt = meta.extra.get("cover_alt") or meta.extra.get("image_alt") or ""
    return Draft(
        kind=entry.kind,
        title=ready.source_post.title,
        slug=entry.slug,
        language=ready.language,
        summary=meta.description or "",
        body_markdown=ready.markdown,
        author_ids=tuple(_authors(ready, rows)),
        topic_ids=tuple(_topics(meta.topics, ready.now, rows)),
        cover_id=cover_id,
        cover_alt=str(alt),
        menu_position=_menu_position(ready),
        published_at=ready.publication.publish_at,
        updated_at=meta.updated
        or (ready.publication.publish_at if ready.entry.post_id is None else None),
    )


def _feed_id(ready: PreparedPost, report: Report, rows: BatchRows) -> str:
    """Return the identifier of the post in the old feed; empty if it is taken."""
    feed_id = find_feed_id(ready)
    if feed_id in rows.taken_feed_ids:
        sentence = f"gets a new feed identifier, because another post has {feed_id} already"
        report.warn(ready.entry.path, None, sentence)
        return ""
    if feed_id:
        rows.taken_feed_ids.add(feed_id)
    return feed_id


def find_feed_id(ready: PreparedPost) -> str:
    """Return the identifier of the post in the old feed; empty if there is none."""
    source = ready.source_post
    feed_id = feed_ids.find_explicit_id(source.meta.extra)
    if not feed_id and ready.base_url:
        date = source.meta.date and source.meta.date.astimezone(source.zone)
        url = f"{ready.base_url}{source.source_url}"
        feed_id = feed_ids.feed_id_at(url, tool=source.tool, date=date)
    return feed_id if feed_id and len(feed_id) <= feed_ids.MAX_LENGTH else ""


def _select_fields(ready: PreparedPost, report: Report) -> dict[str, Any]:
    """Return the fields that have no meaning here, and name the fields that are too large."""
    fields, too_large = select_fields(ready.source_post.meta.extra)
    for name in too_large:
        sentence = f"the field {name} is not stored: all such fields together exceed 64 KiB"
        report.warn(ready.entry.path, ready.source_post.document.line_of(name), sentence)
    return fields


def _save_extra_fields(session: Session, post: Post, fields: dict[str, Any]) -> None:
    if (post.extra_fields or {}) != fields:
        post.extra_fields = fields
        session.flush()


def _menu_position(ready: PreparedPost) -> int | None:
    meta = ready.source_post.meta
    if ready.entry.kind is not Kind.PAGE or not meta.menu:
        return None
    return _MENU if meta.weight is None else max(0, min(meta.weight, _MENU))


def _authors(ready: PreparedPost, rows: BatchRows) -> Iterable[int]:
    urls = dict(ready.source_post.meta.author_urls)
    names = ready.source_post.meta.authors
    if not names and ready.default_author and ready.entry.kind is Kind.ARTICLE:
        names = (ready.default_author,)
    for text in names:
        person = ready.people.get(text) or Person(name=text, url=urls.get(text, ""))
        authors = rows.names(Author)
        row = authors.find(person.name) or _create_author(person, authors, ready.now)
        yield row.id


def _create_author(person: Person, authors: NameIndex, now: datetime) -> Row:
    slug = authors.free_slug(person.name)
    draft = AuthorDraft(name=person.name, slug=slug, bio_markdown=person.bio, url=person.url)
    try:
        author = actions.save_author(draft, now=now, actor=SYSTEM)
    except Invalid:  # the web address or the biography
        author = actions.save_author(
            AuthorDraft(name=person.name, slug=slug), now=now, actor=SYSTEM
        )
    row = Row(id=author.id, name=author.name, slug=author.slug)
    authors.add(row)
    return row


def _topics(names: Iterable[str], now: datetime, rows: BatchRows) -> Iterable[int]:
    for name in names:
        topics = rows.names(Topic)
        row = topics.find(name) or _create_topic(name, topics, now)
        yield row.id


def _create_topic(name: str, topics: NameIndex, now: datetime) -> Row:
    topic = actions.save_topic(
        TopicDraft(name=name, slug=topics.free_slug(name)), now=now, actor=SYSTEM
    )
    row = Row(id=topic.id, name=topic.name, slug=topic.slug)
    topics.add(row)
    return row


_STATUSES = {
    State.PUBLISHED: Status.PUBLISHED,
    State.UNLISTED: Status.DRAFT,
    State.SCHEDULED: Status.SCHEDULED,
    State.ARCHIVED: Status.ARCHIVED,
    State.DRAFT: Status.DRAFT,
    State.SKIPPED: Status.DRAFT,
}


def _target_status(ready: PreparedPost, post: Post) -> Status:
    """The status that the file asks for; what an editor archived stays in the archive."""
    if post.status is Status.ARCHIVED and not ready.returns:
        return Status.ARCHIVED
    return _STATUSES[ready.publication.state]


def _revise(session: Session, post_id: int, draft: Draft, ready: PreparedPost) -> Post:
    post = session.get_one(Post, post_id)
    if draft.menu_position is None and draft.kind is post.kind:
        draft = replace(draft, menu_position=post.menu_position)
    is_held = post.status is not Status.DRAFT
    if is_held and _target_status(ready, post) != post.status:
        actions.unpublish(post.id, expected_version=post.version, now=ready.now, actor=SYSTEM)
        session.flush()
    return actions.revise(
        post_id,
        draft,
        expected_version=post.version,
        now=ready.now,
        rendered=ready.rendered,
        actor=SYSTEM,
    )


def _apply_status(post: Post, target_status: Status, ready: PreparedPost) -> None:
    """Lead the post to the status that its file asks for."""
    version, now = post.version, ready.now
    if post.status is target_status:
        return
    if target_status is Status.PUBLISHED:
        actions.publish(post.id, expected_version=version, now=now, actor=SYSTEM)
    elif target_status is Status.ARCHIVED:
        actions.archive(post.id, expected_version=version, now=now, actor=SYSTEM)
    elif target_status is Status.SCHEDULED and ready.publication.publish_at is not None:
        actions.schedule(
            post.id, ready.publication.publish_at, expected_version=version, now=now, actor=SYSTEM
        )


def _old_addresses(post: Post, ready: PreparedPost) -> list[OldAddress]:
    """Return the addresses that the post had or may have had."""
    entry = ready.entry
    if find_redirect_target(ready.source_post.meta.publication):
        return []  # the old site showed another page there; `redirects.saving` leads to it
    own = (entry.source,) if ready.source_post.has_usable_url else ()
    stated = (*own, *entry.aliases)
    sources = [*((source, True) for source in dict.fromkeys(stated)), *_siblings(ready)]
    addresses: list[OldAddress] = []
    for source, is_stated in sources:
        with suppress(ValueError):  # it is too long below the path of the old site
            old = _with_prefix(ready, source)
            if old not in {normal(post.path), "/"}:
                redirect = PostRedirect(source=to_url(old), post_id=post.id)
                addresses.append(OldAddress(redirect=redirect, is_stated=is_stated))
    return addresses


def _name_impossible_redirects(ready: PreparedPost, report: Report) -> None:
    """Name the old addresses that are too long, or differ by a query which no route reads."""
    for source in (ready.source_post.source_url, *ready.source_post.aliases):
        try:
            error = find_query_error(source) if "?" in source else ""
            _with_prefix(ready, normal(source))
        except ValueError as invalid:
            error = str(invalid)
        if error:
            address = (ready.prefix + source)[:_MAX_SHOWN]
            report.warn(ready.entry.path, None, f"no redirect from {address}: {error}")


def _siblings(ready: PreparedPost) -> Iterable[tuple[str, bool]]:
    """Yield the addresses that the post may have had, unless another post had them."""
    addresses = (*ready.siblings, ready.entry.source, *ready.entry.aliases)
    # The lookup of a path without .html reads one row alone, so each spelling has a row of its own.
    without_html = (
        a.removesuffix(".html").removesuffix("/index") for a in addresses if a.endswith(".html")
    )
    for source in dict.fromkeys((*ready.siblings, *filter(None, without_html))):
        yield source, False


def add_redirects(
    addresses: Sequence[tuple[OldAddress, PurePosixPath, Report]], *, now: datetime
) -> None:
    """Redirect the old addresses of saved posts, and name the ones that conflict."""
    redirects = [address.redirect for address, _, _ in addresses]
    errors = actions.add_post_redirects(redirects, now=now, actor=SYSTEM) if redirects else []
    for (address, path, report), error in zip(addresses, errors, strict=True):
        if error is not None and address.is_stated:
            old = normal(address.redirect.source)
            report.warn(path, None, f"no redirect from {old}: {error}")


def _with_prefix(ready: PreparedPost, source: str) -> str:
    """Return an old address below the path of the old site; one with a query stays at the root."""
    url = to_url(source)
    return normal(url if "?" in url else ready.prefix + url)


def save_import_record(
    session: Session, entry: Entry, values: RecordValues, rows: BatchRows
) -> None:
    """Record which file the post came from; an address that another record has stays there."""
    record = session.get(Imported, entry.record.id) if entry.record else None
    same_source = rows.find_record(entry.source)
    record = record or same_source
    if record is None:
        record = Imported(source=entry.source, post_id=values.post_id)
        session.add(record)
        rows.records[entry.source] = record
    elif same_source is None:
        record.source = entry.source
        rows.records[entry.source] = record
    record.post_id = values.post_id
    path = str(entry.path)
    record.path = path if len(path) <= _MAX_PATH else None
    record.folder = values.folder
    record.body_digest = entry.body_digest
    record.digest, record.imported_at = values.digest, values.now
