from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.editing.merge import MOST_TOKENS, OverlapError, merge_text

BASE = "One two three.\n\nFour five six.\n\nSeven eight nine.\n"

MERGED = {
    "two paragraphs": (("two", "2"), ("eight", "8")),
    "two words of one paragraph": (("One", "1"), ("three", "3")),
    "a word, and a paragraph before it": (("five", "5"), ("Four", "New.\n\nFour")),
    "the first word and the last": (("One", "1"), ("nine", "9")),
    "a removed paragraph, and another one": (("Four five six.\n\n", ""), ("nine", "9")),
    "neighbouring paragraphs": (("six", "6"), ("Seven", "7")),
    "a paragraph, and a new one after it": (("six.", "6."), ("Seven", "New.\n\nSeven")),
    "a paragraph, and a new one before it": (("Four five", "New.\n\nFour five"), ("Four", "4")),
    "the last paragraph, and a new one at the end": (("nine", "9"), (".\n", ".\n\nNew.\n")),
    "the first paragraph, and a new one at the beginning": (
        ("One two", "New.\n\nOne two"),
        ("One", "1"),
    ),
    "the same change of both": (("two", "2"), ("two", "2")),
}


@pytest.mark.parametrize("edits", MERGED.values(), ids=MERGED)
def test_changes_in_different_places_are_both_in_the_result(
    edits: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    """In either order of the writers."""
    mine, theirs = (BASE.replace(*edit) for edit in edits)
    expected = BASE
    for edit in dict.fromkeys(edits):
        expected = expected.replace(*edit)
    assert merge_text(BASE, mine, theirs) == merge_text(BASE, theirs, mine) == expected


OVERLAPPING = {
    "one word": (("two", "2"), ("two", "zwei")),
    "words side by side": (("One", "1"), ("two", "2")),
    "a removed paragraph that the other changed": (("Four five six.\n\n", ""), ("five", "5")),
    "two insertions at one place": (("Four", "A\n\nFour"), ("Four", "B\n\nFour")),
    "two paragraphs at the end": (("nine.\n", "nine.\n\nA\n"), ("nine.\n", "nine.\n\nB\n")),
}


@pytest.mark.parametrize("edits", OVERLAPPING.values(), ids=OVERLAPPING)
def test_changes_of_the_same_words_are_not_merged(
    edits: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    """Neither writer's words may get lost."""
    mine, theirs = (BASE.replace(*edit) for edit in edits)
    for pair in ((mine, theirs), (theirs, mine)):
        with pytest.raises(OverlapError):
            merge_text(BASE, *pair)


TEXTS = st.lists(st.sampled_from(["a ", "b ", "c\n", "\n", "d. "]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_a_text_that_one_side_left_alone_is_that_of_the_other(base: str, side: str) -> None:
    """Also if both have made the same change."""
    assert merge_text(base, base, side) == side
    assert merge_text(base, side, base) == side
    assert merge_text(base, side, side) == side


WORDS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(WORDS, st.data())
def test_every_new_word_of_either_side_is_kept(base: list[str], data: st.DataObject) -> None:
    """And every word that either side removed is gone, unless the merge is refused."""

    def edit(mark: str) -> list[str]:
        words = [word for word in base if not data.draw(st.booleans(), label=f"remove {word}")]
        place = data.draw(st.integers(0, len(words)), label="place")
        return [*words[:place], mark, *words[place:]]

    mine, theirs = edit("X"), edit("Y")
    separator = data.draw(st.sampled_from([" ", "\n", "\n\n"]), label="separator")
    try:
        merged = merge_text(*(separator.join(words) for words in (base, mine, theirs)))
    except OverlapError:
        return
    assert {"X", "Y"} <= set(merged.split())
    assert set(merged.split()) - {"X", "Y"} == set(base) & set(mine) & set(theirs)


def test_spaces_and_line_ends_of_both_sides_are_kept() -> None:
    """Two spaces at the end of a line are a line break in Markdown."""
    base = "one two  \nthree\n\n\n\tcode four\n"
    mine, theirs = base.replace("one", "1"), base.replace("four", "4")
    assert merge_text(base, mine, theirs) == "1 two  \nthree\n\n\n\tcode 4\n"


SLOW = {
    "many equal paragraphs": "same\n" * MOST_TOKENS,
    "many equal words": "same " * MOST_TOKENS,
    "many different words": " ".join(map(str, range(50_000))),
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_a_comparison_that_would_take_long_is_refused(text: str) -> None:
    """The middle can't be compared, so the writer's text is kept aside instead."""
    mine = re.sub(r"\A\S+|\S+(?=\s*\Z)", "mine", text)
    theirs = re.sub(r"\A\S+|\S+(?=\s*\Z)", "theirs", text)
    began = time.process_time()
    with pytest.raises(OverlapError):
        merge_text(text, mine, theirs)
    assert time.process_time() - began < 1.5


def test_a_long_text_with_small_changes_is_merged_quickly() -> None:
    """Equal beginnings and ends are skipped before anything is compared."""
    text = "".join(f"Paragraph {n} with the same words in it.\n\n" for n in range(20_000))
    mine, theirs = text.replace("aph 9000 w", "aph nine w"), text.replace("aph 9001 w", "aph 9 w")
    began = time.process_time()
    merged = merge_text(text, mine, theirs)
    assert time.process_time() - began < 1.5
    assert "Paragraph nine with" in merged
    assert "Paragraph 9 with" in merged


def test_many_equal_paragraphs_are_refused_although_they_could_be_merged() -> None:
    """Their comparison takes time that grows with the square of their number."""
    paragraphs = ["same\n"] * 1_500
    mine = ["mine\n", *paragraphs[1:-1], "mine\n"]
    theirs = [*paragraphs[:700], "theirs\n", *paragraphs[701:]]
    with pytest.raises(OverlapError, match="too large"):
        merge_text(*("".join(side) for side in (paragraphs, mine, theirs)))


def test_a_long_change_takes_in_several_short_ones() -> None:
    """One writer changes the first word of every paragraph, the other a word in two of them."""
    base = [f"first{n} middle last{n} end\n" for n in range(10)]
    mine = [line.replace("first", "FIRST") for line in base]
    theirs = [line.replace("last2", "LAST2").replace("last8", "LAST8") for line in base]
    expected = [line.replace("first", "FIRST") for line in theirs]
    for pair in ((mine, theirs), (theirs, mine)):
        assert merge_text(*("".join(side) for side in (base, *pair))) == "".join(expected)
