"""The fields of a working copy: everything about a post that a writer edits in the studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from app.publishing.models import Kind

from . import merge, validation
from .draft import COVER_ALT, SUMMARY, TITLE, Draft

BODY = 2 * 1024 * 1024
"""The most characters of a text in a working copy. Publishing has a lower limit of its own."""
LISTED = 100
"""The most authors or topics of a post."""

NAME = 200
"""The most characters of the name of an author or topic."""

_LINES = {"slug": 200, "language": 35, "title": TITLE, "summary": SUMMARY, "cover_alt": COVER_ALT}


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFields:
    """The fields as a writer typed them: a title may be empty and a slug invalid.

    An empty slug follows the title. An empty summary is made from the text. An empty language is
    that of the site. `new_authors` and `new_topics` are names that no author or topic has yet;
    publishing creates them, since an author or topic is public.
    """

    title: str = ""
    slug: str = ""
    summary: str = ""
    body_markdown: str = ""
    language: str = ""
    author_ids: tuple[int, ...] = ()
    topic_ids: tuple[int, ...] = ()
    new_authors: tuple[str, ...] = ()
    new_topics: tuple[str, ...] = ()
    cover_id: int | None = None
    cover_alt: str = ""
    menu_position: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CopyFields:
        """Return the fields that `to_json` wrote; a release may have written fewer or others."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in data.items() if name in names}
        lists = {name: tuple(values[name]) for name in LISTS if name in values}
        return cls(**{**values, **lists})

    def to_json(self) -> dict[str, Any]:
        """Return the fields for a JSON column."""
        return {**asdict(self), **{name: list(getattr(self, name)) for name in LISTS}}

    def to_draft(self, kind: Kind) -> Draft:
        """Return the draft that an action checks and saves."""
        values = {name: getattr(self, name) for name in NAMES if name not in NEW}
        return Draft(**{**values, "kind": kind, "language": self.language or None})


NEW = ("new_authors", "new_topics")
LISTS = ("author_ids", "topic_ids", *NEW)
NAMES = tuple(field.name for field in fields(CopyFields))


def cleaned(values: CopyFields) -> CopyFields:
    """Return the fields as they are stored; raises Invalid for a text beyond its limit.

    Only what no database can store is removed, since a writer may not have finished typing.
    """
    lines: dict[str, Any] = {
        name: validation.clean_line(name, getattr(values, name), limit=limit, empty=True)
        for name, limit in _LINES.items()
    }
    return replace(
        values,
        **lines,
        body_markdown=validation.clean_lines("body_markdown", values.body_markdown, limit=BODY),
        author_ids=_distinct(values.author_ids),
        topic_ids=_distinct(values.topic_ids),
        new_authors=_names(values.new_authors),
        new_topics=_names(values.new_topics),
    )


def _distinct(ids: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))[:LISTED]


def _names(names: Sequence[str]) -> tuple[str, ...]:
    lines = (validation.clean_line("name", name, limit=NAME, empty=True) for name in names)
    return tuple(dict.fromkeys(line for line in lines if line))[:LISTED]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedFields:
    """The result of a merge; `overlaps` names the fields that could not be merged.

    Those have the value of `theirs`.
    """

    fields: CopyFields
    overlaps: tuple[str, ...] = ()


def merge_fields(base: CopyFields, mine: CopyFields, theirs: CopyFields) -> MergedFields:
    """Merge field by field; the text by paragraph and word, all other fields as whole values."""
    values: dict[str, Any] = {}
    overlaps: list[str] = []
    for name in NAMES:
        sides = (getattr(base, name), getattr(mine, name), getattr(theirs, name))
        try:
            values[name] = _merge_value(name, *sides)
        except merge.OverlapError:
            values[name] = getattr(theirs, name)
            overlaps.append(name)
    return MergedFields(fields=CopyFields(**values), overlaps=tuple(overlaps))


def _merge_value(name: str, base: Any, mine: Any, theirs: Any) -> Any:
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    if name == "body_markdown":
        return merge.merge_text(base, mine, theirs)
    raise merge.OverlapError(f"Both writers changed the {name}.")
