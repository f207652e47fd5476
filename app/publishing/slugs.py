"""Slugs: the short ASCII names of posts, topics and authors in URLs.

Pure: whether a slug is taken is asked of the caller.
"""

import re
from collections.abc import Callable, Collection
from hashlib import sha256
from itertools import count

from slugify import slugify as to_ascii

MAX_LENGTH = 80

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")


def slugify(title: str) -> str:
    """Make a slug of a title: ASCII, at most `MAX_LENGTH` long, cut at a word, never empty."""
    spaced = _APOSTROPHES.sub("-", title)
    slug = to_ascii(spaced, max_length=MAX_LENGTH, word_boundary=True, save_order=True)
    if _SLUG.fullmatch(slug):
        return slug
    return f"x-{sha256(title.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def check_slug(slug: str, *, reserved: Collection[str] = ()) -> str:
    """Give a slug back, or raise a `ValueError` that says what is wrong with it."""
    if not slug:
        raise ValueError("The slug is empty; write one of lower-case letters, digits and hyphens.")
    if len(slug) > MAX_LENGTH:
        raise ValueError(
            f"The slug has {len(slug)} characters; {MAX_LENGTH} is the most. Shorten it."
        )
    if not _SLUG.fullmatch(slug):
        raise ValueError(
            f"The slug {slug!r} is not made of lower-case letters (a to z), digits and single "
            f"hyphens between them; {slugify(slug)!r} would do."
        )
    if slug in reserved:
        raise ValueError(f"The slug {slug!r} is taken by the site itself; choose another.")
    return slug


def unique_slug(preferred_slug: str, is_taken: Callable[[str], bool]) -> str:
    """Give the wanted slug, or the first of `wanted-2`, `wanted-3`, … that is not taken."""
    base = (
        preferred_slug
        if _SLUG.fullmatch(preferred_slug) and len(preferred_slug) <= MAX_LENGTH
        else slugify(preferred_slug)
    )
    if not is_taken(base):
        return base
    for number in count(2):
        suffix = f"-{number}"
        candidate = base[: MAX_LENGTH - len(suffix)].rstrip("-") + suffix
        if not is_taken(candidate):
            return candidate
    raise AssertionError("count never ends")
