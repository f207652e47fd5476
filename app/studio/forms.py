"""Read the fields of a form or of the JSON of a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from app.publishing.actions import CopyFields
from app.publishing.errors import Conflict, Invalid

PLAIN = ("title", "slug", "summary", "body_markdown", "language", "cover_alt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of the authors and topics that there are, by their ids."""

    authors: Mapping[int, str]
    topics: Mapping[int, str]


def read_fields(form: Mapping[str, Any], names: Names) -> CopyFields:
    """Return the fields; a number that is none is left out.

    Authors and topics are names with commas between them; a name that no author or topic has is
    a new one.
    """
    author_ids, new_authors = split_names(_text(form, "authors"), names.authors)
    topic_ids, new_topics = split_names(_text(form, "topics"), names.topics)
    return CopyFields(
        **{name: _text(form, name) for name in PLAIN},
        author_ids=author_ids,
        topic_ids=topic_ids,
        new_authors=new_authors,
        new_topics=new_topics,
        cover_id=_number(form, "cover_id"),
        menu_position=_number(form, "menu_position"),
    )


def split_names(text: str, names: Mapping[int, str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the ids of the names in a text, in its order, and the names that are new.

    A name may hold a comma: the longest name that there is wins. Case makes no difference.
    """
    ids_by_name = {" ".join(name.casefold().split()): row_id for row_id, name in names.items()}
    ids: list[int] = []
    new: list[str] = []
    parts = [" ".join(part.split()) for part in text.split(",")]
    while parts:
        length = _longest(parts, ids_by_name)
        name = ", ".join(parts[: max(1, length)])
        if length:
            ids.append(ids_by_name[name.casefold()])
        elif name:
            new.append(name)
        parts = parts[max(1, length) :]
    return tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(new))


def _longest(parts: list[str], ids_by_name: Mapping[str, int]) -> int:
    """Return how many of the first parts make the longest name that there is."""
    lengths = range(min(len(parts), 6), 0, -1)
    return next((n for n in lengths if ", ".join(parts[:n]).casefold() in ids_by_name), 0)


def join_names(fields: CopyFields, names: Names) -> dict[str, str]:
    """Return the texts of the author and topic fields."""
    authors = [names.authors[row_id] for row_id in fields.author_ids if row_id in names.authors]
    topics = [names.topics[row_id] for row_id in fields.topic_ids if row_id in names.topics]
    return {
        "authors": ", ".join((*authors, *fields.new_authors)),
        "topics": ", ".join((*topics, *fields.new_topics)),
    }


def to_form(fields: CopyFields, names: Names) -> dict[str, Any]:
    """Return the values of the form's fields, as a script reads them."""
    plain = {name: getattr(fields, name) for name in PLAIN}
    numbers = {name: getattr(fields, name) for name in ("cover_id", "menu_position")}
    return {**plain, **numbers, **join_names(fields, names)}


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _number(form: Mapping[str, Any], name: str) -> int | None:
    value = str(form.get(name) if form.get(name) is not None else "").strip()
    is_number = value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004 - fits 32 bits
    return int(value) if is_number else None


def read_version(form: Mapping[str, Any]) -> int:
    """Return the version that the writer has loaded; 0 if the form names none."""
    return _number(form, "version") or 0


def read_texts(form: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return the texts of these fields; a field that the form lacks is empty."""
    return {name: _text(form, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormError:
    """The error of an action, with the field at which the form shows it."""

    field: str
    message: str
    status: HTTPStatus

    @classmethod
    def from_action(cls, error: Invalid | Conflict) -> FormError:
        """Return the error of a form whose only unique field is its slug."""
        if isinstance(error, Invalid):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return cls(field=error.field, message=str(error), status=status)
        return cls(field="slug", message=str(error), status=HTTPStatus.CONFLICT)

    def __str__(self) -> str:
        """Return the sentence for the user."""
        return self.message
