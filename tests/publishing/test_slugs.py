# ruff: noqa: RUF001 - letters of many scripts
"""Slugs are short, ASCII, never empty and never taken twice."""

import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.paths import normal
from app.publishing.slugs import (
    MAX_BYTES,
    MAX_LENGTH,
    check_slug,
    is_slug,
    slugify,
    to_path,
    unique_slug,
)

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


OWN_SCRIPT = {
    "Hindi": ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
    "Thai": ("ป่าไม้ของเรา", "ป่าไม้ของเรา"),
    "Vietnamese": ("Tiếng Việt rất hay", "tiếng-việt-rất-hay"),
    "Arabic with a vowel mark": ("مدينةُ الميناء، ٢٠٢٦", "مدينةُ-الميناء-٢٠٢٦"),
    "Japanese": ("日本語のタイトル", "日本語のタイトル"),
    "German": ("Größe & Maß", "grösse-mass"),
    "Greek": ("ΟΔΟΣ", "οδοσ"),
    "decomposed letters": ("Cafe\u0301", "café"),
    "letters of another width": ("Ａｂｃ１", "abc1"),
    "Cherokee": ("ᎠᎡ", "ꭰꭱ"),
    "ASCII": ("What's new?", "what-s-new"),
    "a mark without a letter": ("\u0301a b\u0301", "a-b\u0301"),
    "a joiner": ("می\u200cخواهم", "می-خواهم"),
}


@pytest.mark.parametrize(("title", "slug"), OWN_SCRIPT.values(), ids=OWN_SCRIPT)
def test_a_title_becomes_a_slug_in_its_own_script(title: str, slug: str) -> None:
    """Letters, digits and marks stay, folded; everything else becomes one hyphen."""
    assert slugify(title, "unicode") == slug
    assert check_slug(slug, style="unicode") == slug


@given(st.text(max_size=300))
def test_every_title_gives_a_valid_slug_in_its_own_script(title: str) -> None:
    """The slug is its own slug: it has one spelling, and fits a file name."""
    slug = slugify(title, "unicode")
    assert check_slug(slug, style="unicode") == slug
    assert slugify(slug, "unicode") == slug
    assert normalize("NFC", slug) == slug == slug.lower()
    assert len(slug) <= MAX_LENGTH
    assert len(f"{slug}.md".encode()) <= 255
    assert normal(to_path("/articles/", slug)) == f"/articles/{slug}"


@given(st.text(min_size=1, max_size=300), st.integers(0, 3))
def test_a_free_slug_in_another_script_is_valid(title: str, count: int) -> None:
    """A number still fits the longest slug, in characters and in bytes."""
    taken: set[str] = set()
    for _ in range(count):
        slug = unique_slug(slugify(title, "unicode"), taken.__contains__, "unicode")
        assert check_slug(slug, style="unicode") not in taken
        taken.add(slug)


@pytest.mark.parametrize("mark", ["ก็", "क्"])
def test_a_long_slug_is_not_cut_between_a_letter_and_its_mark(mark: str) -> None:
    """Such scripts have no spaces to cut at."""
    slug = slugify("x" + mark * 60, "unicode")
    assert slug.endswith(mark)
    assert len(slug.encode()) <= MAX_BYTES


@pytest.mark.parametrize(
    "slug",
    [
        "Größe",
        "größe",
        "cafe\u0301",
        "a_b",
        "مدينة الميناء",
        "-日本",
        "日本-",
        "日--本",
        "日本。",
        "ａ",
        "👍",
    ],
)
def test_another_spelling_of_a_slug_is_refused(slug: str) -> None:
    """Each page has one URL. The sentence proposes the right spelling."""
    assert not is_slug(slug)
    with pytest.raises(ValueError, match="lower-case letters, digits and single"):
        check_slug(slug, style="unicode")


def test_a_slug_with_too_many_bytes_is_refused() -> None:
    """An export names a file after it."""
    with pytest.raises(ValueError, match="200 bytes"):
        check_slug("日" * 70, style="unicode")


def test_a_path_is_percent_encoded() -> None:
    """Links, feeds, sitemaps and purges have the URL as it is sent."""
    assert to_path("/articles/", "größe") == "/articles/gr%C3%B6%C3%9Fe"
    assert to_path("/", "about") == "/about"
