"""Addresses of Hugo: `url`, `permalinks`, `slug`, `uglyURLs` and languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from app.publishing.importing.configuration.values import is_true, table, texts

from . import slugs
from .languages import split_language
from .page import Page, date_of_name, fill, join, without_date

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def find(page: Page) -> Iterator[str]:
    """Yield the address at which Hugo served the page."""
    page, language = split_language(page)
    default = page.configuration.default_language.lower()
    language = language or page.folder_language.lower() or default
    in_subdirectory = is_true(page.configuration.values.get("defaultcontentlanguageinsubdir"))
    prefix = language if in_subdirectory or language != default else ""
    yield from _with_prefix(page, prefix)


def _with_prefix(page: Page, prefix: str) -> Iterator[str]:
    if url := page.value("url"):
        address = fill(url, lambda name: _token(page, name)) if ":" in url else url
        if "://" in address:
            address = re.sub(r"^\w+://[^/]*", "", address)
        yield (
            address
            if address.startswith("/")
            else join(prefix, address, ending="/" if address.endswith("/") else "")
        )
        return
    pattern = _pattern(page)
    if pattern:
        path = unquote_plus(fill(pattern, lambda name: _token(page, name)))
        yield join(prefix, _urlize(page, path), ending=_ending(page))
        return
    name = page.value("slug").strip("-") or _own_slug(page)
    if page.path.stem == "index" and not page.path.parent.name:
        name = ""
    yield join(prefix, _urlize(page, "/".join((*page.folders, name))), ending=_ending(page))


def base(page: Page) -> str:
    """The folder to which relative aliases belong."""
    return next(find(page), "/").rstrip("/").rpartition("/")[0] + "/"


def _urlize(page: Page, path: str) -> str:
    options = page.configuration.values
    return slugs.hugo(
        path,
        lower=not is_true(options.get("disablepathtolower")),
        strip_accents=is_true(options.get("removepathaccents")),
    )


def _ending(page: Page) -> str:
    ugly = page.configuration.values.get("uglyurls")
    if isinstance(ugly, dict):
        section = page.path.parts[0] if len(page.path.parts) > 1 else ""
        ugly = ugly.get(section.lower())
    return ".html" if is_true(ugly) else "/"


def _pattern(page: Page) -> str:
    """Return the pattern of the innermost section that has one; `/` is for pages at the top."""
    sections = page.folders
    rules = page.configuration.permalinks
    for depth in range(len(sections), 0, -1):
        section = "/".join(sections[:depth]).lower()
        for rule in rules:
            if rule.scope.lower() == section:
                return rule.pattern
    return next((r.pattern for r in rules if not r.scope and not sections), "")


def _own_slug(page: Page) -> str:
    """The file's name; without its date where the site takes dates from names."""
    sources = texts(table(page.configuration.values, "frontmatter").get("date"))
    takes_names = ":filename" in sources and date_of_name(page.name) is not None
    return without_date(page.name) if takes_names else page.name


def _token(page: Page, name: str) -> str | None:
    own = page.value("slug").strip("-")
    title = page.title or page.name
    values = {
        "section": next(iter(page.folders), ""),
        "sectionslug": next(iter(page.folders), ""),
        "sections": "/".join(page.folders),
        "sectionslugs": "/".join(page.folders),
        "title": title.replace("/", "-") if "/" not in title.strip("/") else title,
        "slug": own or _title_slug(page, title),
        "slugorfilename": own or page.name,
        "slugorcontentbasename": own or page.name,
        "filename": page.path.stem if page.path.stem != "index" else page.name,
        "contentbasename": page.name,
    }
    if name in values:
        return values[name]
    if "[" in name:
        return _slice(page.folders, name.partition("[")[2].rstrip("]"))
    return _date_token(page, name)


def _title_slug(page: Page, title: str) -> str:
    return _own_slug(page) if _own_slug(page) != page.name else title


def _date_token(page: Page, name: str) -> str | None:
    moment = page.moment
    if moment is None:
        return None
    weekday = (moment.weekday() + 1) % 7
    values = {
        "year": f"{moment.year:04}",
        "month": f"{moment.month:02}",
        "monthname": _MONTHS[moment.month - 1],
        "day": f"{moment.day:02}",
        "weekday": str(weekday),
        "weekdayname": _WEEKDAYS[weekday],
        "yearday": str(moment.timetuple().tm_yday),
        "06": f"{moment.year % 100:02}",
        "2006": f"{moment.year:04}",
        "1": str(moment.month),
        "01": f"{moment.month:02}",
        "2": str(moment.day),
        "02": f"{moment.day:02}",
        "January": _MONTHS[moment.month - 1],
        "Jan": _MONTHS[moment.month - 1][:3],
    }
    return values.get(name)


def _slice(folders: tuple[str, ...], bounds: str) -> str | None:
    """The folders that `[1:]`, `[last]` or `[0]` choose."""
    if bounds == "last":
        return folders[-1] if folders else ""
    if re.fullmatch(r"\d{1,3}", bounds):
        return "/".join(folders[int(bounds) : int(bounds) + 1])
    match = re.fullmatch(r"(\d{0,3}):(\d{0,3}|last)", bounds)
    if match is None:
        return None
    end = len(folders) - 1 if match[2] == "last" else int(match[2] or len(folders))
    return "/".join(folders[int(match[1] or 0) : end])
