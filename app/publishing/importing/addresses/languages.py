"""The language that a file's name carries: `x.fr.md`, only for a configured language."""

from __future__ import annotations

from dataclasses import replace

from .page import Page


def split_language(page: Page) -> tuple[Page, str]:
    """Return the page under its name without the language, and the language in lower case."""
    stem, dot, language = page.path.stem.rpartition(".")
    language_names = {name.lower() for name in page.configuration.languages}
    if dot and stem and language.lower() in language_names:
        path = page.path.with_name(stem + page.path.suffix)
        return replace(page, path=path), language.lower()
    return page, ""
