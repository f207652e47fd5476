"""Find the posts that match the parts of a query, with plain SQL that both databases execute.

Each function returns counts by post; nothing here decides about an order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from app.publishing.models import search_term, search_text, search_word

from .document import Counts
from .query import Part, Variant

Matches: TypeAlias = dict[int, Counts]
"""How often each post has a part in its title, in names and in its text."""

BEGINNING_WEIGHT = 0.5
"""How much a word counts that only begins with the last word of a query."""

_END = "\U0010ffff"
"""Comes after every other character, on both databases."""


class contains_text(GenericFunction[bool]):  # noqa: N801 - it reads as the SQL function that it is
    """Whether a text contains another one, compared byte by byte."""

    type = sa.Boolean()
    inherit_cache = True
    name = "contains_text"


@compiles(contains_text)
def _standard(element: contains_text, compiler: SQLCompiler, **options: object) -> str:
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"


@compiles(contains_text, "sqlite")
def _sqlite(element: contains_text, compiler: SQLCompiler, **options: object) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


def find_matches(session: Session, part: Part) -> Matches:
    """Return the posts that have a part, in any of its variants."""
    matches = _find_words(session, part.variants)
    for variant in part.variants:
        if len(variant.terms) + bool(variant.prefix) > 1:
            weight = BEGINNING_WEIGHT if variant.prefix else 1
            _add(matches, _find_phrase(session, variant), weight=weight)
    return matches


def _add(matches: Matches, others: Matches, *, weight: float) -> None:
    """Add matches; a post that matches several variants keeps its larger counts."""
    for post_id, counts in others.items():
        title, names, body = (weight * count for count in counts)
        before = matches.get(post_id, (0, 0, 0))
        matches[post_id] = (max(before[0], title), max(before[1], names), max(before[2], body))


def _find_words(session: Session, variants: Iterable[Variant]) -> Matches:
    """Return the posts with one of the variants of a single word, whole or only begun."""
    terms = sorted({v.terms[0] for v in variants if len(v.terms) == 1 and not v.prefix})
    begun = [_begins(variant) for variant in variants if variant.prefix and not variant.terms]
    if not terms and not begun:
        return {}
    is_whole = search_term.c.term.in_(terms)
    columns = (search_term.c.in_title, search_term.c.in_names, search_term.c.in_body)
    whole_counts = (sa.func.sum(sa.case((is_whole, column), else_=0)) for column in columns)
    query = sa.select(search_term.c.post_id, *whole_counts, *map(sa.func.sum, columns))
    rows = session.execute(
        query.where(is_whole | sa.or_(*begun) if begun else is_whole).group_by(
            search_term.c.post_id
        )
    )
    return {
        row[0]: (_weigh(row[1], row[4]), _weigh(row[2], row[5]), _weigh(row[3], row[6]))
        for row in rows
    }


def _weigh(whole: int, both: int) -> float:
    """Return the count of whole words, or a part of the count of words that begin like this."""
    return max(int(whole), BEGINNING_WEIGHT * int(both))


def _begins(variant: Variant) -> sa.ColumnElement[bool]:
    """Return the condition for the terms of words that begin like this."""
    end = variant.prefix + _END
    if variant.is_pair_prefix:
        return (search_term.c.term >= variant.prefix) & (search_term.c.term < end)
    is_begun = (search_word.c.form >= variant.prefix) & (search_word.c.form < end)
    return search_term.c.term.in_(sa.select(search_word.c.term).where(is_begun))


def _find_phrase(session: Session, variant: Variant) -> Matches:
    """Return the posts that have the terms of a variant one after another."""
    end = f"{variant.prefix}" if variant.prefix else ""
    phrase = f" {' '.join(variant.terms)} {end}"
    fields = (search_text.c.title, search_text.c.names, search_text.c.body)
    contained = [contains_text(field, phrase) for field in fields]
    query = sa.select(search_text.c.post_id, *contained).where(sa.or_(*contained))
    for term in dict.fromkeys(variant.terms):
        has_term = sa.select(search_term.c.post_id).where(search_term.c.term == term)
        query = query.where(search_text.c.post_id.in_(has_term))
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in session.execute(query)}
