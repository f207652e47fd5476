"""Check the languages that a view or a blueprint declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http.languages import is_language_tag
from .policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_languages(languages: Iterable[str]) -> tuple[str, ...]:
    """Return the declared languages in their order; raises PolicyError if one is no language tag.

    The order matters: the first language is the default.
    """
    if isinstance(languages, str):
        raise PolicyError(
            f"languages takes a tuple of language tags: write languages=({languages!r},)."
        )
    tags = tuple(languages)
    for tag in tags:
        if not isinstance(tag, str) or not is_language_tag(tag):
            raise PolicyError(
                f"languages: {tag!r} is not a language tag: write tags such as 'en' or 'pt-BR'."
            )
    if len({tag.lower() for tag in tags}) < len(tags):
        raise PolicyError(f"languages: {', '.join(tags)} contains a language twice.")
    return tags


def merge_languages(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages of two decorators of one view; they must not contradict each other."""
    if one and two and one != two:
        raise PolicyError(
            f"The decorators of a view declare different languages, {', '.join(one)} and "
            f"{', '.join(two)}: declare them once."
        )
    return one or two
