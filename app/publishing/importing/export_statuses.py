"""Statuses of an export of WordPress (WXR) or Ghost (JSON) that lies beside a converted folder.

wordpress-export-to-markdown and ghost-to-md drop statuses: private, pending, scheduled and
password-protected posts are written like public ones. Only the export itself can tell them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.parsers import expat

from .publication.rules import truth_of
from .publication.state import Reason, State

MAX_BYTES = 256 * 1024 * 1024

_FIELDS = frozenset({"post_name", "status", "post_password", "post_type"})
_POST_TYPES = frozenset({"post", "page"})


class ExportFileError(ValueError):
    """A file that is an export and can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStatuses:
    """The reasons of an export by slug; a slug that is absent is public or not in the export."""

    file: str
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    def find_reason(self, slug: str) -> Reason | None:
        """Return why the post of this slug is not public."""
        return self.reasons.get(slug.lower()) or self.reasons.get("*")


def find_statuses(folder: Path) -> ExportStatuses | None:
    """Read the first export in a folder or beside it; None without one.

    Raises ExportFileError, with the file's name, for an export that can't be read.
    """
    for path in _candidates(folder):
        try:
            reasons = _read_wxr(path) if path.suffix == ".xml" else _read_ghost(path)
        except (OSError, ValueError, RecursionError, expat.ExpatError) as error:
            raise ExportFileError(f"{path.name} can't be read: {error}") from None
        if reasons is not None:
            return ExportStatuses(file=path.name, reasons=reasons)
    return None


def _candidates(folder: Path) -> Iterator[Path]:
    for place in (folder, folder.parent):
        for pattern in ("*.xml", "*.json"):
            for path in sorted(place.glob(pattern)):
                if path.is_file() and 0 < path.stat().st_size <= MAX_BYTES and _is_export(path):
                    yield path


def _is_export(path: Path) -> bool:
    """Whether the first bytes of a file are those of an export."""
    with path.open("rb") as file:
        head = file.read(65536)
    if path.suffix == ".xml":
        return b"<rss" in head and b"wordpress.org/export/" in head
    return b'"db"' in head or (b'"posts"' in head and b'"data"' in head) or b'"meta"' in head[:200]


def _read_wxr(path: Path) -> dict[str, Reason]:
    reader = _WxrReader()
    with path.open("rb") as file:
        reader.parser.ParseFile(file)
    return reader.reasons


class _WxrReader:
    """Reads slug, status and password of each post, and nothing else: no reader's address."""

    def __init__(self) -> None:
        self.reasons: dict[str, Reason] = {}
        self.item: dict[str, str] = {}
        self.field_name = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.entity

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Begin an item, or one of its fields."""
        namespace, _, tag = name.rpartition(" ")
        if tag == "item":
            self.item = {}
        is_field = "wordpress.org/export/" in namespace and tag in _FIELDS
        self.field_name = tag if is_field else ""

    def text(self, data: str) -> None:
        """Collect the text of a field."""
        if self.field_name:
            self.item[self.field_name] = self.item.get(self.field_name, "") + data

    def end(self, name: str) -> None:
        """Decide about a post at its end."""
        self.field_name = ""
        if name.rpartition(" ")[2] != "item" or self.item.get("post_type") not in _POST_TYPES:
            return
        slug = unquote(self.item.get("post_name", "")).strip().lower()
        status = self.item.get("status", "").strip().lower()
        if self.item.get("post_password", "").strip():
            status = "protected by a password"
        if slug and status != "publish":
            self.reasons[slug] = _reason(status)

    def entity(self, *_: object) -> None:
        """Refuse a file that declares entities."""
        raise ValueError("it declares entities")


def _reason(status: str) -> Reason:
    state = State.SCHEDULED if status in {"future", "scheduled"} else State.DRAFT
    sentence = f"is no public post: it is {status or 'without a status'} in the export"
    return Reason(key="export", state=state, sentence=sentence)


def _read_ghost(path: Path) -> dict[str, Reason] | None:
    """Return the reasons of an export of Ghost; None for any other JSON."""
    document = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(document, dict) and isinstance(document.get("db"), list) and document["db"]:
        document = document["db"][0]
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        return None
    if _is_private_site(data):
        return {"*": _reason("behind the password of the whole site")}
    restrictions = dict(_restricted_posts(data))
    reasons = {}
    for post in _rows(data, "posts"):
        status = restrictions.get(post.get("id")) or _ghost_status(post)
        if status != "published" and post.get("slug"):
            reasons[str(post["slug"]).lower()] = _reason(status)
    return reasons


def _ghost_status(post: Mapping[str, Any]) -> str:
    visibility = str(post.get("visibility") or "public").lower()
    status = str(post.get("status") or "draft").lower()
    return status if visibility == "public" else f"for {visibility} only"


def _restricted_posts(data: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    for row in _rows(data, "posts_meta"):
        if truth_of(row.get("email_only")):
            yield row.get("post_id"), "sent by e-mail only"
    for row in _rows(data, "posts_products"):
        yield row.get("post_id"), "for paying members only"


def _is_private_site(data: Mapping[str, Any]) -> bool:
    return any(
        row.get("key") == "is_private" and truth_of(row.get("value"))
        for row in _rows(data, "settings")
    )


def _rows(data: Mapping[str, Any], table: str) -> Iterator[Mapping[str, Any]]:
    rows = data.get(table)
    return (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping))
