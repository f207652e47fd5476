"""Addresses of Pelican: `{slug}` and `{date:%Y}` in ARTICLE_URL and PAGE_URL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.publishing.importing.configuration.values import is_true, text, texts

from . import slugs
from .page import Page

_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def find(page: Page) -> Iterator[str]:
    """Yield the address at which Pelican served the page."""
    value = page.value("url", "save_as")
    yield "/" + _fill_field(page, value or _pattern(page)).lstrip("/").removesuffix("index.html")


def _pattern(page: Page) -> str:
    folders = texts(page.configuration.values.get("PAGE_PATHS")) or ("pages",)
    is_page = any(page.path.as_posix().startswith(f"{folder.strip('/')}/") for folder in folders)
    language = page.value("lang")
    scope = "page" if is_page else "article"
    if language and language != page.configuration.default_language:
        fallback = "pages/{slug}-{lang}.html" if is_page else "{slug}-{lang}.html"
        return page.configuration.permalink(f"{scope}_lang") or fallback
    fallback = "pages/{slug}.html" if is_page else "{slug}.html"
    return page.configuration.permalink(scope) or fallback


def _fill_field(page: Page, pattern: str) -> str:
    return _FIELD.sub(lambda match: _field(page, match[1], match[2] or ""), pattern)


def _field(page: Page, name: str, form: str) -> str:
    if name == "date" and page.moment is not None:
        return page.moment.strftime(form or "%Y-%m-%d")
    options = page.configuration.values
    uses_unicode = is_true(options.get("SLUGIFY_USE_UNICODE"))
    if name == "slug":
        by_name = text(options, "SLUGIFY_SOURCE") == "basename"
        return page.slug or slugs.pelican(
            page.path.stem if by_name else page.title, use_unicode=uses_unicode
        )
    values = {
        "category": _category(page),
        "author": (page.authors or (page.configuration.site.author,))[0],
        "lang": page.value("lang") or page.configuration.default_language,
    }
    if name in values:
        return slugs.pelican(values[name], use_unicode=uses_unicode)
    return page.value(name) or f"{{{name}}}"


def _category(page: Page) -> str:
    options = page.configuration.values
    by_folder = is_true(options.get("USE_FOLDER_AS_CATEGORY"), default=True)
    folder = page.path.parent.name if by_folder else ""
    return page.value("category") or folder or text(options, "DEFAULT_CATEGORY") or "misc"
