from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.publishing.editing.copy_fields import (
    BODY,
    LISTED,
    NAMES,
    NEW,
    CopyFields,
    cleaned,
    merge_fields,
)
from app.publishing.errors import Invalid
from app.publishing.models import Kind

FULL = CopyFields(
    title="A title",
    slug="a-title",
    summary="In short.",
    body_markdown="One.\n\nTwo.",
    language="de",
    author_ids=(2, 1),
    topic_ids=(3,),
    new_authors=("Ada",),
    new_topics=("Rain",),
    cover_id=4,
    cover_alt="A tree",
    menu_position=5,
)
CHANGED: dict[str, Any] = {
    "title": ("My title", "Your title"),
    "slug": ("mine", "yours"),
    "summary": ("Mine.", "Yours."),
    "body_markdown": ("Mine.\n\nTwo.", "Yours.\n\nTwo."),
    "language": ("fr", "it"),
    "author_ids": ((1, 2), (2,)),
    "topic_ids": ((3, 4), ()),
    "new_authors": (("Bob",), ()),
    "new_topics": ((), ("Rain", "Snow")),
    "cover_id": (7, None),
    "cover_alt": ("A wood", ""),
    "menu_position": (1, None),
}


def test_every_field_has_a_case_of_its_own() -> None:
    """So that a field that is added is merged, stored and published too."""
    assert set(CHANGED) == set(NAMES)
    assert all(getattr(FULL, name) != getattr(CopyFields(), name) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_that_one_side_changed_is_taken_from_it(name: str) -> None:
    """The other side's change of every other field is kept too."""
    mine = replace(FULL, **{name: CHANGED[name][0]})
    theirs = replace(FULL, **{other: CHANGED[other][1] for other in NAMES if other != name})
    merged = merge_fields(FULL, mine, theirs)
    assert merged.fields == replace(theirs, **{name: CHANGED[name][0]})
    assert merged == merge_fields(FULL, theirs, mine)
    assert merged.overlaps == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_field_that_both_sides_changed_differently_is_an_overlap(name: str) -> None:
    """It has the value of the other side; the rest is merged."""
    own, other = CHANGED[name]
    merged = merge_fields(FULL, replace(FULL, **{name: own}), replace(FULL, **{name: other}))
    assert merged.overlaps == (name,)
    assert getattr(merged.fields, name) == other


def test_the_text_is_merged_by_paragraph() -> None:
    """Two writers work in one text."""
    mine = replace(FULL, body_markdown="1.\n\nTwo.")
    theirs = replace(FULL, body_markdown="One.\n\n2.", title="Theirs")
    merged = merge_fields(FULL, mine, theirs)
    assert merged.fields == replace(FULL, body_markdown="1.\n\n2.", title="Theirs")


def test_fields_survive_their_json() -> None:
    """Fields that another release wrote are ignored, missing ones are empty."""
    assert CopyFields.from_json(FULL.to_json()) == FULL
    assert CopyFields.from_json({"title": "x", "colour": "red"}) == CopyFields(title="x")


def test_a_draft_has_every_field() -> None:
    """An empty language is that of the site."""
    draft = FULL.to_draft(Kind.PAGE)
    names = [name for name in NAMES if name not in NEW]
    assert {n: getattr(draft, n) for n in names} == {n: getattr(FULL, n) for n in names}
    assert draft.kind is Kind.PAGE
    assert CopyFields().to_draft(Kind.ARTICLE).language is None


def test_what_a_writer_has_not_finished_is_stored() -> None:
    """An empty title, a slug with spaces, blank lines at the end."""
    unfinished = CopyFields(title="", slug="Not a slug", body_markdown="\n\nText \n\n")
    assert cleaned(unfinished) == unfinished


def test_what_no_database_stores_is_removed() -> None:
    """Control characters, halves of surrogate pairs, line ends of forms, repeated authors."""
    assert cleaned(CopyFields(new_topics=(" a  b ", "", "a b"))).new_topics == ("a b",)
    values = CopyFields(
        title="a\0b\ud83d", body_markdown="a\0\r\nb\rc\ud83d", author_ids=(2, 1, 2), summary="\x1b"
    )
    expected = CopyFields(title="a b", body_markdown="a\nb\nc", author_ids=(2, 1))
    assert cleaned(values) == expected
    assert len(cleaned(CopyFields(topic_ids=tuple(range(500)))).topic_ids) == LISTED


@pytest.mark.parametrize(
    ("name", "value"), [("title", "x" * 301), ("body_markdown", "x" * (BODY + 1))]
)
def test_a_value_beyond_its_limit_is_refused_by_name(name: str, value: Any) -> None:
    """Nothing is cut off in silence."""
    with pytest.raises(Invalid, match="Shorten it") as raised:
        cleaned(CopyFields(**{name: value}))
    assert raised.value.field == name
