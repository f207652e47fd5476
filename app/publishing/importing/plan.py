"""The plan of an import: slug and path of every post, before the first one is written.

A link between two posts can be rewritten only when the path of the other one is known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing.draft import validate_post_slug
from app.publishing.editing.slug_style import find_slug_style
from app.publishing.models import Kind, Post, Redirect
from app.publishing.paths import find_query_error, normal
from app.publishing.slugs import MAX_LENGTH, SlugStyle, slugify

from . import dates
from .identity import File, Matching, Record, load_records
from .post_languages import PostLanguages
from .source_folder import SourcePost

_SUFFIX = re.compile(r"-\d+(?:-\d\d){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the folder and the post that it will be.

    `source` is the address it had, and `siblings` are addresses that it may have had too. `record`
    is that of an earlier import, and `post_id` and `digest` are its post and digest. `language` is
    the one that the file states, and `language_suffix` the end of a slug that another language has.
    """

    path: PurePosixPath
    kind: Kind
    preferred_slug: str
    source: str
    aliases: tuple[str, ...]
    date: datetime | None
    slug: str = ""
    post_id: int | None = None
    digest: str = ""
    siblings: tuple[str, ...] = ()
    earlier_source: str = ""
    body_digest: str = ""
    record: Record | None = None
    name: str = ""
    language: str | None = None
    language_name: str = ""
    language_suffix: str = ""
    has_stated_slug: bool = False

    @property
    def is_recorded(self) -> bool:
        """Tell whether the record of the earlier import has the file's path and text."""
        record = self.record
        return record is not None and (
            (record.path, record.body_digest) == (str(self.path), self.body_digest)
        )

    @property
    def address(self) -> str:
        """Where readers will find the post."""
        return _address(self, self.slug)


@dataclass(slots=True, kw_only=True)
class Plan:
    """Every post of the folder by its file and by its old addresses."""

    entries: dict[PurePosixPath, Entry] = field(default_factory=dict)
    rejected_files: dict[PurePosixPath, str] = field(default_factory=dict)
    existing_entries: dict[PurePosixPath, Entry] = field(default_factory=dict)
    """The posts that are not imported this time, because they are in another language."""
    by_address: dict[str, Entry] = field(default_factory=dict)
    missing: list[Record] = field(default_factory=list)
    """The records of files that are gone from the folder."""
    other_languages: Counter[str] = field(default_factory=Counter)
    """The numbers of posts in languages that are not imported."""

    def of_file(self, path: PurePosixPath) -> Entry | None:
        """Return the post of a file."""
        return self.entries.get(path) or self.existing_entries.get(path)

    def at(self, path: str) -> Entry | None:
        """The post that stood at this address; a query counts as in redirects."""
        try:
            address = normal(path)
            return self.by_address.get(address) or self.by_address.get(normalize("NFC", address))
        except ValueError:
            return None


def make(
    session: Session,
    posts: Iterable[SourcePost],
    kind: Kind | None = None,
    *,
    folder: str = "",
    below: PurePosixPath | None = None,
    languages: PostLanguages | None = None,
) -> Plan:
    """Plan the import of some posts; `kind` overrules what the files say.

    `folder` is the root of their site, and `below` the part of it that is imported.
    """
    plan = Plan()
    languages = languages or PostLanguages()
    style = find_slug_style(session)
    entries = _unique(_with_suffixes(_entries(posts, kind, plan, style), languages), plan)
    existing = _Known.load(session)
    matching = Matching(map(_file, entries), load_records(session), folder)
    with_posts = [existing.of(entry, matching.of(entry.path)) for entry in entries]
    planned = existing.choose_all(with_posts)
    plan.entries = {entry.path: entry for entry in _in_order(planned, existing)}
    plan.missing = [
        record
        for record in matching.missing(below or PurePosixPath())
        if PurePosixPath(record.path or "") not in plan.rejected_files
    ]
    plan.other_languages = _leave_out(plan, languages)
    _index_addresses(plan)
    return plan


def _with_suffixes(entries: Iterable[Entry], languages: PostLanguages) -> list[Entry]:
    """Give each post of another language than the default one the suffix of its slug.

    A slug that the file states gets it only where another post has that slug.
    """
    entries = list(entries)
    default = languages.find_default(entry.language for entry in entries)
    with_suffixes = []
    for entry in entries:
        suffix = languages.suffix(entry.language, default)
        slug = entry.preferred_slug
        if not entry.has_stated_slug:
            slug = _with_language(slug, suffix)
        with_suffixes.append(replace(entry, preferred_slug=slug, language_suffix=suffix))
    return with_suffixes


def _leave_out(plan: Plan, languages: PostLanguages) -> Counter[str]:
    """Take the posts of languages that are not imported out of the plan, and count them.

    Links may lead to posts that the site has already.
    """
    counts: Counter[str] = Counter()
    for path, entry in list(plan.entries.items()):
        if not languages.is_chosen(entry.language):
            del plan.entries[path]
            if entry.post_id is not None:
                plan.existing_entries[path] = entry
            counts[entry.language or languages.stated_default or languages.site_language] += 1
    return counts


def _file(entry: Entry) -> File:
    return File(
        path=entry.path,
        source=entry.source,
        earlier_source=entry.earlier_source,
        body_digest=entry.body_digest,
    )


def _index_addresses(plan: Plan) -> None:
    """Index the posts by their addresses; an address that is certain comes before a sibling."""
    entries = (*plan.entries.values(), *plan.existing_entries.values())
    for entry in entries:
        plan.by_address.setdefault(entry.source, entry)
    for entry in entries:
        for address in (*entry.aliases, entry.address):
            plan.by_address.setdefault(address, entry)
    for entry in entries:
        for address in entry.siblings:
            plan.by_address.setdefault(address, entry)


def _in_order(planned: list[Entry], existing: _Known) -> list[Entry]:
    """Sort by date; a post that gives up a slug comes before the one that takes it."""
    by_date = sorted(planned, key=_by_date)
    leaving = {existing.key_of(entry): entry for entry in by_date if existing.moves(entry)}
    order: dict[PurePosixPath, Entry] = {}
    for entry in by_date:
        chain = [entry]
        while (other := leaving.get((chain[-1].kind, chain[-1].slug))) and other not in chain:
            chain.append(other)
        order |= {one.path: one for one in reversed(chain) if one.path not in order}
    return list(order.values())


def _by_date(entry: Entry) -> tuple[bool, datetime, str]:
    """The order in which posts are written: of one date, the slug decides, not the file's name."""
    return (entry.date is None, entry.date or datetime.min.replace(tzinfo=UTC), entry.slug)


def _entries(
    posts: Iterable[SourcePost], kind: Kind | None, plan: Plan, style: SlugStyle
) -> Iterator[Entry]:
    """Yield an entry for each file; one whose address is not valid is rejected."""
    for post in posts:
        try:
            yield _entry(post, kind, style)
        except ValueError as error:
            plan.rejected_files[post.path] = str(error)


def _unique(entries: Iterable[Entry], plan: Plan) -> list[Entry]:
    """Return the entries; a second one at the same address is rejected.

    A translation that has the address of its original gets that below its language.
    """
    sources: dict[str, PurePosixPath] = {}
    unique: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: bool(entry.language_suffix)):
        source = entry.source
        if source in sources and entry.language_suffix:
            source = f"/{entry.language_name or entry.language}{source}".lower()
        first = sources.setdefault(source, entry.path)
        if first == entry.path:
            unique.append(replace(entry, source=source))
        else:
            plan.rejected_files[entry.path] = (
                f"has the same address ({source}) as {first}; give one of them another slug"
            )
    return unique


def _entry(post: SourcePost, kind: Kind | None, style: SlugStyle) -> Entry:
    meta = post.meta
    last = (meta.path or "").rstrip("/").rpartition("/")[2]
    last = re.sub(r"\.html?$", "", last)
    is_name = last.lower() not in {"true", "false"} and not re.search(r"[:{}?]", last)
    last_segment = last if is_name else ""
    stated_slug = meta.slug or last_segment
    preferred_slug = stated_slug or dates.without_date(post.name)
    return Entry(
        path=post.path,
        kind=kind or Kind(meta.kind),
        preferred_slug=slugify(preferred_slug, style),
        source=_source(post),
        aliases=tuple(_normal(post.aliases)),
        date=meta.date,
        siblings=tuple(_normal((*post.siblings, *_composed(post)))),
        earlier_source=next(_normal([post.earlier_url]), "") if post.earlier_url else "",
        body_digest=post.body_digest,
        name=post.name,
        language=post.language,
        language_name=post.language_name,
        has_stated_slug=bool(stated_slug),
    )


def _source(post: SourcePost) -> str:
    """Return the old address; one that is too long is replaced by one that no other file has."""
    if post.has_usable_url:
        return normal(post.source_url)
    return f"/{sha256(str(post.path).encode()).hexdigest()}"


def _composed(post: SourcePost) -> Iterator[str]:
    """Yield the addresses in composed Unicode (NFC), where the file's name was decomposed."""
    for address in (post.source_url, *post.aliases):
        path = unquote(address)
        if (composed := normalize("NFC", path)) != path:
            yield composed


def _normal(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            if not find_query_error(path):  # `save_post` names the others
                yield normal(path)
        except ValueError:
            continue


@dataclass(slots=True, kw_only=True)
class _Known:
    """What the database holds already: who has which slug, and what was imported before."""

    slugs: dict[tuple[Kind, str], int]
    posts: dict[int, tuple[Kind, str]]
    redirects: dict[str, int | None]

    @classmethod
    def load(cls, session: Session) -> _Known:
        rows = session.execute(sa.select(Post.id, Post.kind, Post.slug)).all()
        redirects = session.execute(sa.select(Redirect.source, Redirect.post_id))
        return cls(
            slugs={(kind, slug): post_id for post_id, kind, slug in rows},
            posts={post_id: (kind, slug) for post_id, kind, slug in rows},
            redirects={row.source: row.post_id for row in redirects},
        )

    def of(self, entry: Entry, record: Record | None) -> Entry:
        """The entry with the post that it was before, and that post's slug when it stays."""
        post_id = record.post_id if record else self._standing_at(entry)
        if post_id is None:
            return entry
        kind, slug = self.posts[post_id]
        entry = replace(
            entry, post_id=post_id, digest=record.digest if record else "", record=record
        )
        stays = kind is entry.kind and self._stays(entry, post_id, slug)
        return replace(entry, slug=slug if stays else "")

    def choose_all(self, entries: list[Entry]) -> list[Entry]:
        """Choose a slug for each entry without one; existing posts choose first."""
        before = [entry for entry in entries if entry.post_id is not None]
        given_up = {self.key_of(entry): entry.post_id or 0 for entry in before if not entry.slug}
        for key in given_up:
            self.slugs.pop(key, None)  # another post that moves may take it
        planned = [self._with_slug(entry) for entry in before]
        for key, post_id in given_up.items():
            self.slugs.setdefault(key, post_id)  # a new post may not: the old address leads on
        return planned + [self._with_slug(entry) for entry in entries if entry.post_id is None]

    def _with_slug(self, entry: Entry) -> Entry:
        return replace(entry, slug=entry.slug or self.choose(entry))

    def key_of(self, entry: Entry) -> tuple[Kind, str]:
        """The kind and the slug that the entry's post has now."""
        return self.posts[entry.post_id or 0]

    def moves(self, entry: Entry) -> bool:
        """Tell whether an existing post gets another slug."""
        return entry.post_id is not None and self.key_of(entry) != (entry.kind, entry.slug)

    def _standing_at(self, entry: Entry) -> int | None:
        """The post that stands at the very address that the file had."""
        prefix = "/articles/" if entry.kind is Kind.ARTICLE else "/"
        if not entry.source.startswith(prefix):
            return None
        return self.slugs.get((entry.kind, entry.source.removeprefix(prefix)))

    def _stays(self, entry: Entry, post_id: int, slug: str) -> bool:
        """Tell whether the post's slug is the preferred one, that with a suffix, or an editor's."""
        if entry.preferred_slug in {slug, _with_language(slug, entry.language_suffix)}:
            return True
        record = entry.record
        is_same = record is None or record.source in {entry.source, entry.earlier_source}
        if is_same and self.redirects.get(_address(entry, entry.preferred_slug)) == post_id:
            return True
        rest = slug.removeprefix(entry.preferred_slug).removeprefix(entry.language_suffix)
        is_variant = not rest or bool(_SUFFIX.fullmatch(rest))
        return not self._free(entry, entry.preferred_slug) and is_variant

    def choose(self, entry: Entry) -> str:
        """The first slug that is free; it is taken from now on."""
        free = next(slug for slug in _candidates(entry) if self._free(entry, slug))
        self.slugs[entry.kind, free] = entry.post_id or 0
        return free

    def _free(self, entry: Entry, slug: str) -> bool:
        """Whether no other post stands, or stood, there."""
        try:
            validate_post_slug(entry.kind, slug)
        except ValueError:
            return False
        others = {
            self.slugs.get((entry.kind, slug)),
            self.redirects.get(_address(entry, slug)),
        }
        return others <= {None, entry.post_id or -1}


def _address(entry: Entry, slug: str) -> str:
    return normal(Post(kind=entry.kind, slug=slug).path)


def _candidates(entry: Entry) -> Iterator[str]:
    """Yield the preferred slug, then with its year, month and day, then with a number."""
    yield entry.preferred_slug
    slug = _with_language(entry.preferred_slug, entry.language_suffix)
    if slug != entry.preferred_slug:
        yield slug
    if entry.date is not None:
        for form in ("-%Y", "-%Y-%m", "-%Y-%m-%d"):
            yield _suffixed(slug, entry.date.strftime(form))
    for number in count(2):
        yield _suffixed(slug, f"-{number}")


def _with_language(slug: str, suffix: str) -> str:
    return slug if not suffix or slug.endswith(suffix) else _suffixed(slug, suffix)


def _suffixed(slug: str, suffix: str) -> str:
    return slug[: MAX_LENGTH - len(suffix)].rstrip("-") + suffix
