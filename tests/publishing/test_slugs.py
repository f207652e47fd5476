"""Slugs are short, ASCII, never empty and never taken twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.slugs import MAX_LENGTH, check_slug, slugify, unique_slug

VALID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Announcing Rust 1.0", "announcing-rust-1-0"),
        ("What's in 1.12 stable", "what-s-in-1-12-stable"),
        ("Über Größe", "uber-grosse"),
        ("日本語", "ri-ben-yu"),
        ("  --a--  ", "a"),
        ("C++ & C#", "c-c"),
    ],
)
def test_a_title_becomes_readable_ascii(title: str, slug: str) -> None:
    """Letters of any script are spelt in ASCII, everything else becomes one hyphen."""
    assert slugify(title) == slug


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("", "x-e3b0c442"),
        ("🎉🎉", "x-9bbfb342"),
        ("…", "x-b4935894"),
        ("\x00", "x-6e340b9c"),
        ("\ud800", "x-91a681b9"),
    ],
    ids=repr,
)
def test_a_title_without_letters_gets_a_short_hash(title: str, slug: str) -> None:
    """The slug is the start of the title's SHA-256 digest, in every process and every release."""
    assert slugify(title) == slug


def test_two_titles_without_letters_get_different_slugs() -> None:
    """The fallback depends on the title."""
    assert slugify("🎉") != slugify("🎈")


def test_a_long_title_is_cut_at_a_word() -> None:
    """A slug ends with a whole word within the limit."""
    slug = slugify("word " * 40)
    assert len(slug) <= MAX_LENGTH
    assert set(slug.split("-")) == {"word"}


@given(st.text(max_size=300))
def test_every_title_gives_a_valid_slug(title: str) -> None:
    """Whatever is typed, the slug passes the check."""
    slug = slugify(title)
    assert VALID.fullmatch(slug)
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    ("slug", "complaint"),
    [
        ("", "empty"),
        ("A", "lower-case"),
        ("a--b", "single hyphens"),
        ("-a", "single hyphens"),
        ("a/b", "lower-case"),
        ("a\n", "lower-case"),
        ("../etc", "lower-case"),
        ("é", "lower-case"),
        ("a" * 81, "81 characters"),
        ("search", "taken by the site"),
    ],
    ids=repr,
)
def test_a_bad_slug_is_refused_with_its_reason(slug: str, complaint: str) -> None:
    """The sentence says what is wrong with the slug."""
    with pytest.raises(ValueError, match=complaint):
        check_slug(slug, reserved={"search"})


def test_a_taken_slug_gets_the_next_free_number() -> None:
    """Numbers count from two, past those that are taken."""
    assert unique_slug("a", {"a", "a-2"}.__contains__) == "a-3"
    assert unique_slug("a", set().__contains__) == "a"


def test_a_number_still_fits_the_longest_slug() -> None:
    """A full-length slug gives way to its number."""
    longest = "a" * MAX_LENGTH
    slug = unique_slug(longest, {longest}.__contains__)
    assert slug.endswith("-2")
    assert check_slug(slug) == slug


def test_what_is_wanted_is_made_a_slug_first() -> None:
    """A title may be wanted too."""
    assert unique_slug("Hello, World", set().__contains__) == "hello-world"
