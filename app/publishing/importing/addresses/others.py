"""Addresses of Nikola, Docusaurus, Astro and Eleventy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePosixPath

from app.publishing.importing.configuration.values import is_true, texts

from . import slugs
from .languages import split_language
from .page import Page, join

_DAY = re.compile(r"(?:^|/)(\d{4})[-/](\d{1,2})[-/](\d{1,2})[-/]?")
_TEMPLATE = re.compile(r"\{\{-?\s*([\w.]+)\s*((?:\|[^{}]*)?)-?\}\}")


def find_nikola(page: Page) -> Iterator[str]:
    """Yield the address of Nikola: the target folder of POSTS or PAGES and the slug."""
    page, language = split_language(page)
    language = language or page.other_language.lower()
    options = page.configuration.values
    folder = next(
        (
            rule
            for rule in page.configuration.permalinks
            if page.path.as_posix().startswith(f"{rule.scope}/") or not rule.scope
        ),
        None,
    )
    slug = page.slug or slugs.nikola(
        page.path.stem, is_on=is_true(options.get("USE_SLUGIFY"), default=True)
    )
    target = folder.pattern if folder else page.path.parent.as_posix()
    inner = page.path.parent.relative_to(folder.scope).parts if folder and folder.scope else ()
    is_pretty = is_true(options.get("PRETTY_URLS"), default=True)
    is_pretty = is_true(page.values.get("pretty_url"), default=is_pretty)
    prefix = "" if language == page.configuration.default_language.lower() else language
    if slug == "index":
        yield join(prefix, target, inner)
    else:
        yield join(prefix, target, inner, slug, ending="/" if is_pretty else ".html")


def find_docusaurus(page: Page) -> Iterator[str]:
    """Yield the address of Docusaurus: the date in the file's name becomes folders."""
    language = page.other_language if page.folder_language else ""
    route = "/".join(filter(None, (language, page.configuration.permalink("blog"))))
    ending = "/" if is_true(page.configuration.values.get("trailingSlash")) else ""
    if slug := page.value("slug"):
        yield join(route, slug, ending=ending)
        return
    path = page.path.with_suffix("")
    name = path.parent.as_posix() if path.name == "index" else path.as_posix()
    match = _DAY.search(name)
    if match is None:
        yield join(route, name, ending=ending)
        return
    day = (match[1], f"{int(match[2]):02}", f"{int(match[3]):02}")
    yield join(route, *day, name[: match.start()], name[match.end() :], ending=ending)


def find_astro(page: Page) -> Iterator[str]:
    """Yield the address of Astro: the id below its route, or the path of a file in `src/pages`."""
    options = page.configuration.values
    ending = ".html" if options.get("build.format") == "file" else "/"
    path = page.path.with_suffix("")
    collection, *rest = path.parts
    if slug := page.value("slug"):
        identifier = slug
    else:
        parts = [slugs.github(part) for part in rest or [collection]]
        identifier = "/".join(parts[:-1] if parts[-1] == "index" else parts)
    if not rest:
        yield join(identifier, ending=ending)
        return
    routes = texts(options.get("routes"))
    route = collection if collection in routes or not routes else routes[0]
    yield join("" if route == "." else route, identifier, ending=ending)
    if route != collection:
        yield join(collection, identifier, ending=ending)


def find_eleventy(page: Page) -> Iterator[str]:
    """Yield the address of Eleventy: `permalink`, or the path; a date in the name stays."""
    value = page.value("permalink")
    if value and value.lower() not in {"true", "false"}:
        address = _TEMPLATE.sub(lambda match: _fill_field(page, match), value)
        if "{" not in address:
            yield join(address.removesuffix("index.html"), ending=_ending(address))
            return
    path = page.path.with_suffix("")
    folder = path.parent.as_posix().strip(".")
    yield join(folder if path.name in {"index", path.parent.name} else path.as_posix())


def _ending(address: str) -> str:
    return "" if PurePosixPath(address).suffix else "/"


def _fill_field(page: Page, match: re.Match[str]) -> str:
    """The value of `{{ title | slugify }}` and its kind; anything else stays."""
    if match[1] in {"page.date", "date"} and page.moment is not None:
        return _format_date(page.moment, match[2])
    file_slug = page.undated_name
    names = {"title": page.title, "page.fileSlug": file_slug, "slug": page.slug}
    value = names.get(match[1]) or page.value(match[1].lower())
    filters = [part.strip() for part in match[2].split("|") if part.strip()]
    if not value or any(name not in _FILTERS for name in filters):
        return match[0]
    for name in filters:
        value = _FILTERS[name](value)
    return value


def _format_date(moment: datetime, filters: str) -> str:
    """Format a date by the text in its filter; a filter without a text is taken for Y/m/d."""
    argument = re.search(r"[\"']([^\"']*)[\"']", filters)
    form = argument[1] if argument else "%Y/%m/%d"
    for name, code in _LUXON:
        form = form.replace(name, code)
    return moment.strftime(form)


_LUXON = (
    ("yyyy", "%Y"),
    ("YYYY", "%Y"),
    ("MM", "%m"),
    ("LL", "%m"),
    ("dd", "%d"),
    ("DD", "%d"),
)
_FILTERS: dict[str, Callable[[str], str]] = {
    "slugify": slugs.eleventy,
    "slug": slugs.eleventy,
    "lower": str.lower,
    "downcase": str.lower,
    "url_encode": str,
}
