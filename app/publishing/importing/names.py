"""The names of authors and topics: which row a name of a file represents.

Two names are equal when their case-folded NFKC forms are equal; slugs are not compared, because
"C", "C#" and "C++" have the same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from unicodedata import normalize

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing.slug_style import find_slug_style
from app.publishing.models import Author, Topic
from app.publishing.slugs import STYLES, SlugStyle, slugify, unique_slug

_SYMBOLS = {"+": " plus", "#": " sharp"}
_LAST_SYMBOLS = re.compile(r"(?<=\w)[+#]+$")


class Named(Protocol):
    """A row of an author or a topic."""

    @property
    def id(self) -> int:
        """Return the primary key."""

    @property
    def name(self) -> str:
        """Return the name that readers see."""

    @property
    def slug(self) -> str:
        """Return the name in the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The columns of an author or a topic that decide which name represents it."""

    id: int
    name: str
    slug: str


def fold(name: str) -> str:
    """Return the form of a name that is compared."""
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())


def slugs_of(name: str) -> frozenset[str]:
    """Return the slugs that follow from a name, in each style."""
    return frozenset(slugify(name, style) for style in STYLES)


class NameIndex:
    """The authors or the topics of the site by name and by slug."""

    def __init__(self, rows: Iterable[Named], style: SlugStyle = "ascii") -> None:
        self._style = style
        self._by_name: dict[str, Named] = {}
        self._by_slug: dict[str, Named] = {}
        for row in sorted(rows, key=lambda row: (row.slug not in slugs_of(row.name), row.id)):
            self._by_name.setdefault(fold(row.name), row)
            self._by_slug[row.slug] = row

    @classmethod
    def load(cls, session: Session, model: type[Author | Topic]) -> NameIndex:
        """Read the names of all authors or all topics."""
        columns = session.execute(sa.select(model.id, model.name, model.slug))
        rows = (Row(id=key, name=name, slug=slug) for key, name, slug in columns)
        return cls(rows, find_slug_style(session))

    def find(self, text: str) -> Named | None:
        """Return the row of this name, or else of this slug if a person has chosen the slug."""
        if row := self._by_name.get(fold(text)):
            return row
        row = self._by_slug.get(text)
        return None if row is None or row.slug in slugs_of(row.name) else row

    def find_draft(self, name: str, slug: str, claimed: set[str]) -> Named | None:
        """Return the row that an entry of `site.toml` describes.

        An entry with a slug describes the row of this slug, or renames the row of its name, unless
        another entry of the file has claimed the slug of that row.
        """
        named = self._by_name.get(fold(name))
        if not slug:
            return named
        if row := self._by_slug.get(slug):
            return row
        return None if named is None or named.slug in claimed else named

    def add(self, row: Named) -> None:
        """Add a row that has just been created."""
        self._by_name.setdefault(fold(row.name), row)
        self._by_slug[row.slug] = row

    def free_slug(self, name: str) -> str:
        """Return a slug for a new row: "c-sharp" for C# where "c" is taken."""
        base = slugify(name, self._style)
        if base not in self._by_slug:
            return base
        words = _LAST_SYMBOLS.sub(lambda found: "".join(_SYMBOLS[one] for one in found[0]), name)
        spelled = slugify(words, self._style)
        return (
            spelled
            if spelled not in self._by_slug
            else unique_slug(base, self._is_taken, self._style)
        )

    def _is_taken(self, slug: str) -> bool:
        return slug in self._by_slug

    def text_for(self, row: Named) -> str:
        """Return the name if it leads back to the row, else the slug."""
        target = self.find(row.name)
        return row.name if target is not None and target.id == row.id else row.slug
