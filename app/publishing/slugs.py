"""Slugs: the short names of posts, topics and authors in URLs, in ASCII or in any script.

Pure: whether a slug is taken is asked of the caller. A slug is stored decoded; `to_path` encodes it
for a URL.
"""

import re
from collections.abc import Callable, Collection
from hashlib import sha256
from itertools import count
from typing import Literal, TypeAlias
from unicodedata import category, normalize
from urllib.parse import quote

from slugify import slugify as to_ascii

MAX_LENGTH = 80

MAX_BYTES = 200
"""The longest slug in UTF-8: an export names files after slugs."""

SlugStyle: TypeAlias = Literal["ascii", "unicode"]
"""How a slug is made of a title: spelt in ASCII, or in the title's own script."""

STYLES: tuple[SlugStyle, ...] = ("ascii", "unicode")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")
_HYPHENS = re.compile(r"-+")


def slugify(title: str, style: SlugStyle = "ascii") -> str:
    """Make a slug of a title: at most `MAX_LENGTH` long, cut at a word, never empty."""
    if style == "unicode":
        slug = _shorten(_to_own_script(title))
        if is_slug(slug):
            return slug
    spaced = _APOSTROPHES.sub("-", title)
    slug = to_ascii(spaced, max_length=MAX_LENGTH, word_boundary=True, save_order=True)
    if _SLUG.fullmatch(slug):
        return slug
    return f"x-{sha256(title.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def fold(text: str) -> str:
    """Return the one spelling of a text in slugs: composed (NFC), without case or font variants."""
    folded = normalize("NFKC", normalize("NFKC", text).casefold()).lower()
    return normalize("NFC", folded)


def is_slug(text: str) -> bool:
    """Return whether a text is a slug of either style in its one spelling."""
    if _SLUG.fullmatch(text):
        return len(text) <= MAX_LENGTH
    is_short = len(text) <= MAX_LENGTH and len(text.encode(errors="replace")) <= MAX_BYTES
    return is_short and not text.isascii() and fold(text) == text == _to_own_script(text)


def _to_own_script(title: str) -> str:
    """Keep letters, digits and the marks that belong to them; join the words with hyphens."""
    kept = "".join(char if _kind_of(char) in "LMN" else "-" for char in fold(title))
    words = (_without_leading_marks(word) for word in _HYPHENS.split(kept))
    return "-".join(word for word in words if word)


def _kind_of(char: str) -> str:
    """Return L for a letter, M for a mark, N for a digit, and P for any other character."""
    if char.isascii():
        return "L" if char.isalnum() else "P"
    kind = category(char)
    return kind[0] if kind[0] in "LM" or kind == "Nd" else "P"


def _without_leading_marks(word: str) -> str:
    start = next((index for index, char in enumerate(word) if _kind_of(char) != "M"), len(word))
    return word[start:]


def _shorten(slug: str) -> str:
    """Cut a slug to the limits: at a hyphen if there is one, never before a mark of a letter."""
    end = len(slug)
    while end > MAX_LENGTH or len(slug[:end].encode(errors="replace")) > MAX_BYTES:
        end -= 1
    if end == len(slug):
        return slug
    words = slug[: end + 1].rpartition("-")[0]
    while not words and end and _kind_of(slug[end]) == "M":
        end -= 1
    return words or slug[:end]


def to_path(folder: str, slug: str) -> str:
    """Return the percent-encoded path of a slug below a folder such as `/articles/`."""
    return folder + (slug if slug.isascii() else quote(slug))


def check_slug(slug: str, *, reserved: Collection[str] = (), style: SlugStyle = "ascii") -> str:
    """Give a slug back, or raise a `ValueError` that says what is wrong with it."""
    if not slug:
        raise ValueError("The slug is empty; write one of lower-case letters, digits and hyphens.")
    if len(slug) > MAX_LENGTH:
        raise ValueError(
            f"The slug has {len(slug)} characters; {MAX_LENGTH} is the most. Shorten it."
        )
    if len(slug.encode(errors="replace")) > MAX_BYTES:
        raise ValueError(f"The slug has more than {MAX_BYTES} bytes in UTF-8. Shorten it.")
    if not (is_slug(slug) and (slug.isascii() or style == "unicode")):
        letters = "letters (a to z)" if style == "ascii" else "letters"
        raise ValueError(
            f"The slug {slug!r} is not made of lower-case {letters}, digits and single "
            f"hyphens between them; {slugify(slug, style)!r} would do."
        )
    if slug in reserved:
        raise ValueError(f"The slug {slug!r} is taken by the site itself; choose another.")
    return slug


def unique_slug(
    preferred_slug: str, is_taken: Callable[[str], bool], style: SlugStyle = "ascii"
) -> str:
    """Give the wanted slug, or the first of `wanted-2`, `wanted-3`, … that is not taken."""
    base = preferred_slug if is_slug(preferred_slug) else slugify(preferred_slug, style)
    if not is_taken(base):
        return base
    for number in count(2):
        candidate = _with_suffix(base, f"-{number}")
        if not is_taken(candidate):
            return candidate
    raise AssertionError("count never ends")


def _with_suffix(base: str, suffix: str) -> str:
    """Append a suffix; shorten the base until the slug is valid."""
    end = MAX_LENGTH - len(suffix)
    while not is_slug(candidate := base[:end].rstrip("-") + suffix):
        end -= 1
    return candidate
