"""The plan of an import: slug and path of every post, before the first one is written.

A link between two posts can be rewritten only when the path of the other one is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing.draft import validate_post_slug
from app.publishing.models import Imported, Kind, Post, Redirect
from app.publishing.paths import normal
from app.publishing.slugs import MAX_LENGTH, slugify

from . import dates, source_urls
from .source_folder import SourcePost

_SUFFIX = re.compile(r"-\d+(?:-\d\d){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the folder and the post that it will be.

    `source` is the address it had; `post_id` and `digest` are those of an earlier import.
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

    @property
    def address(self) -> str:
        """Where readers will find the post."""
        return _address(self, self.slug)


@dataclass(slots=True, kw_only=True)
class Plan:
    """Every post of the folder by its file and by its old addresses."""

    entries: dict[PurePosixPath, Entry] = field(default_factory=dict)
    rejected_files: dict[PurePosixPath, str] = field(default_factory=dict)
    by_address: dict[str, Entry] = field(default_factory=dict)

    def at(self, path: str) -> Entry | None:
        """The post that stood at this address."""
        try:
            return self.by_address.get(normal(path))
        except ValueError:
            return None


def make(session: Session, posts: Iterable[SourcePost], kind: Kind | None = None) -> Plan:
    """Plan the import of some posts; `kind` overrules what the files say."""
    plan = Plan()
    entries = list(_unique(posts, kind, plan))
    existing = _Known.load(session)
    with_posts = [existing.of(entry) for entry in entries]
    planned = []
    for entry in sorted(with_posts, key=lambda entry: entry.post_id is None):
        slug = entry.slug or existing.choose(entry)
        planned.append(replace(entry, slug=slug))
    plan.entries = {entry.path: entry for entry in sorted(planned, key=_by_date)}
    for entry in plan.entries.values():
        plan.by_address.setdefault(entry.source, entry)
    for entry in plan.entries.values():
        for address in (*entry.aliases, entry.address):
            plan.by_address.setdefault(address, entry)
    return plan


def _by_date(entry: Entry) -> tuple[bool, datetime, str]:
    """The order in which posts are written: of one date, the slug decides, not the file's name."""
    return (entry.date is None, entry.date or datetime.min.replace(tzinfo=UTC), entry.slug)


def _unique(posts: Iterable[SourcePost], kind: Kind | None, plan: Plan) -> Iterator[Entry]:
    """An entry for each file; a second one at the same address is rejected."""
    sources: dict[str, PurePosixPath] = {}
    for post in posts:
        try:
            entry = _entry(post, kind)
        except ValueError as error:
            plan.rejected_files[post.path] = str(error)
            continue
        first = sources.setdefault(entry.source, entry.path)
        if first == entry.path:
            yield entry
        else:
            plan.rejected_files[post.path] = (
                f"has the same address ({entry.source}) as {first}; give one of them another slug"
            )


def _entry(post: SourcePost, kind: Kind | None) -> Entry:
    meta = post.meta
    last = (meta.path or "").rstrip("/").rpartition("/")[2]
    last = re.sub(r"\.html?$", "", last)
    last_segment = last if ":" not in last else ""
    preferred_slug = (
        meta.slug or last_segment or dates.without_date(source_urls.own_name(post.path))
    )
    return Entry(
        path=post.path,
        kind=kind or Kind(meta.kind),
        preferred_slug=slugify(preferred_slug),
        source=normal(post.source_url),
        aliases=tuple(_normal(post.aliases)),
        date=meta.date,
    )


def _normal(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            yield normal(path)
        except ValueError:
            continue


@dataclass(slots=True, kw_only=True)
class _Known:
    """What the database holds already: who has which slug, and what was imported before."""

    slugs: dict[tuple[Kind, str], int]
    posts: dict[int, tuple[Kind, str]]
    imported: dict[str, tuple[int, str]]
    redirects: dict[str, int | None]

    @classmethod
    def load(cls, session: Session) -> _Known:
        rows = session.execute(sa.select(Post.id, Post.kind, Post.slug)).all()
        before = session.execute(sa.select(Imported.source, Imported.post_id, Imported.digest))
        redirects = session.execute(sa.select(Redirect.source, Redirect.post_id))
        return cls(
            slugs={(kind, slug): post_id for post_id, kind, slug in rows},
            posts={post_id: (kind, slug) for post_id, kind, slug in rows},
            imported={source: (post_id, digest) for source, post_id, digest in before},
            redirects={row.source: row.post_id for row in redirects},
        )

    def of(self, entry: Entry) -> Entry:
        """The entry with the post that it was before, and that post's slug when it stays."""
        post_id, digest = self.imported.get(entry.source, (self._standing_at(entry), ""))
        if post_id is None:
            return entry
        kind, slug = self.posts[post_id]
        stays = kind is entry.kind and self._stays(entry, post_id, slug)
        return replace(entry, post_id=post_id, digest=digest, slug=slug if stays else "")

    def _standing_at(self, entry: Entry) -> int | None:
        """The post that stands at the very address that the file had."""
        prefix = "/articles/" if entry.kind is Kind.ARTICLE else "/"
        if not entry.source.startswith(prefix):
            return None
        return self.slugs.get((entry.kind, entry.source.removeprefix(prefix)))

    def _stays(self, entry: Entry, post_id: int, slug: str) -> bool:
        """Tell whether the post's slug is the preferred one, that with a suffix, or an editor's."""
        if (
            slug == entry.preferred_slug
            or self.redirects.get(_address(entry, entry.preferred_slug)) == post_id
        ):
            return True
        rest = slug.removeprefix(entry.preferred_slug)
        return not self._free(entry, entry.preferred_slug) and bool(_SUFFIX.fullmatch(rest))

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
    return Post(kind=entry.kind, slug=slug).path


def _candidates(entry: Entry) -> Iterator[str]:
    """Yield the preferred slug, then with its year, month and day, then with a number."""
    yield entry.preferred_slug
    if entry.date is not None:
        for form in ("-%Y", "-%Y-%m", "-%Y-%m-%d"):
            yield _suffixed(entry.preferred_slug, entry.date.strftime(form))
    for number in count(2):
        yield _suffixed(entry.preferred_slug, f"-{number}")


def _suffixed(slug: str, suffix: str) -> str:
    return slug[: MAX_LENGTH - len(suffix)].rstrip("-") + suffix
