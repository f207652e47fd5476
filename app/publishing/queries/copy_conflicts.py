"""Two texts side by side: a working copy and its fork, two revisions, a copy and its post."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

import sqlalchemy as sa
from sqlalchemy.orm import undefer_group

from app.extensions import db
from app.publishing.editing.copy_fields import CopyFields
from app.publishing.editing.working_copies import fields_of_post as read_fields
from app.publishing.errors import Missing
from app.publishing.models import Fork, Post, User, WorkingCopy, WorkingCopyStep

MOST_WORDS = 2_000
"""The most words of a paragraph that are compared one by one."""
CONTEXT = 2
"""How many equal paragraphs are shown around a difference."""

_WORD = re.compile(r"\s*\S+|\s+")

Part = tuple[str, bool]
"""Some words, and whether they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRow:
    """One paragraph of two texts, after `skipped` equal paragraphs that are left out."""

    old: tuple[Part, ...]
    new: tuple[Part, ...]
    is_equal: bool
    skipped: int = 0


def compare(old: str, new: str) -> list[DiffRow]:
    """Return the rows of a table of both texts, without what is equal far from a difference."""
    rows = list(_rows(_paragraphs(old), _paragraphs(new)))
    shown = {
        near
        for index, row in enumerate(rows)
        if not row.is_equal
        for near in range(index - CONTEXT, index + CONTEXT + 1)
    }
    result: list[DiffRow] = []
    skipped = 0
    for index, row in enumerate(rows):
        if index in shown:
            result.append(DiffRow(old=row.old, new=row.new, is_equal=row.is_equal, skipped=skipped))
            skipped = 0
        else:
            skipped += 1
    return result


def _paragraphs(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffRow]:
    matcher = SequenceMatcher(None, old, new, autojunk=len(old) * len(new) > MOST_WORDS**2)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            for line in old[i1:i2]:
                yield DiffRow(old=((line, False),), new=((line, False),), is_equal=True)
        else:
            for before, after in zip_longest(old[i1:i2], new[j1:j2], fillvalue=""):
                parts = _compare_words(before, after)
                yield DiffRow(old=parts[0], new=parts[1], is_equal=False)


def _compare_words(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or max(len(before), len(after)) > MOST_WORDS:
        return ((old, True),) if old else (), ((new, True),) if new else ()
    left: list[Part] = []
    right: list[Part] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
        if i1 < i2:
            left.append(("".join(before[i1:i2]), tag != "equal"))
        if j1 < j2:
            right.append(("".join(after[j1:j2]), tag != "equal"))
    return tuple(left), tuple(right)


def fork_of(copy: WorkingCopy, fork_id: int) -> tuple[Fork, str]:
    """Return a fork of a copy and the name of its writer; raises Missing."""
    statement = (
        sa.select(Fork, sa.func.coalesce(User.name, ""))
        .outerjoin(User, User.id == Fork.user_id)
        .where(Fork.working_copy_id == copy.id, Fork.id == fork_id)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise Missing("The other text does not exist: it was resolved or discarded.")
    return row


def base_of(copy: WorkingCopy, version: int) -> CopyFields | None:
    """Return the fields of an earlier version of a copy; None if it is not stored."""
    step = db.session.get(WorkingCopyStep, (copy.id, version))
    return None if step is None else CopyFields.from_json(step.fields)


def fields_of_post(post: Post) -> CopyFields:
    """Return the fields of a post as its writer edits them."""
    statement = sa.select(Post).where(Post.id == post.id).options(undefer_group("source"))
    loaded = db.session.scalars(statement.execution_options(populate_existing=True)).one()
    return read_fields(db.session(), loaded)
