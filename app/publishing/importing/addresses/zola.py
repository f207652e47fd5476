"""Addresses of Zola: `path`, `slug`, `slugify.paths` and languages."""

from __future__ import annotations

from collections.abc import Iterator

from app.publishing.importing.configuration.values import is_true, table, text

from . import slugs
from .languages import split_language
from .page import Page, date_of_name, join, without_date


def find(page: Page) -> Iterator[str]:
    """Yield the address at which Zola served the page."""
    page, language = split_language(page)
    if path := page.value("path"):
        yield join(path)
        return
    prefix = "" if language == page.configuration.default_language.lower() else language
    yield join(prefix, page.folders, _slug(page))


def _slug(page: Page) -> str:
    options = table(page.configuration.values, "slugify")
    mode = text(options, "paths") or text(page.configuration.values, "slugify_paths") or "on"
    if own := page.value("slug"):
        return slugs.zola(own, mode)
    keeps_date = is_true(options.get("paths_keep_dates"))
    name = page.name
    if not keeps_date and date_of_name(name):
        name = without_date(name)
    return slugs.zola(name, mode)
