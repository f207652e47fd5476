"""Addresses of Jekyll: `permalink` with its styles, collections and defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from app.publishing.importing.configuration import SourceConfiguration

from . import slugs
from .page import Page, date_tokens, fill, without_date

STYLES = {
    "date": "/:categories/:year/:month/:day/:title.html",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title.html",
    "weekdate": "/:categories/:year/W:week/:short_day/:title.html",
    "none": "/:categories/:title.html",
}
_POST_FOLDERS = frozenset({"_posts", "_drafts"})


def find(page: Page) -> Iterator[str]:
    """Yield the address at which Jekyll served the page."""
    kind = _kind(page.path)
    values = _defaults(page.configuration, page.path, kind) | dict(page.values)
    permalink = values.get("permalink")
    if isinstance(permalink, str) and permalink.strip():
        pattern = re.sub(r"^\w+://[^/]*", "", permalink.strip())
    else:
        pattern = _pattern(page, kind)
    address = fill(pattern, lambda name: _token(page, values, kind, name))
    plain = re.sub(r"/{2,}", "/", f"/{address}")
    if _is_polyglot(page.configuration) and page.other_language:
        prefix = f"/{page.other_language}"
        yield plain if plain.startswith(f"{prefix}/") else f"{prefix}{plain}"
    else:
        yield plain


def _is_polyglot(configuration: SourceConfiguration) -> bool:
    """Whether the site uses jekyll-polyglot, which serves other languages below their names."""
    return len(configuration.languages) > 1


def token(page: Page, name: str) -> str | None:
    """Return the value of one token of Jekyll; None for an unknown one."""
    return _token(page, dict(page.values), _kind(page.path), name)


def _kind(path: PurePosixPath) -> str:
    """Tell the collection of a file; empty for a page."""
    if _POST_FOLDERS & set(path.parts[:-1]):
        return "posts"
    first = path.parts[0] if len(path.parts) > 1 else ""
    return first.removeprefix("_") if first.startswith("_") else ""


def _pattern(page: Page, kind: str) -> str:
    site = page.configuration.permalink()
    is_folder = site == "pretty" or site.endswith("/")
    if kind == "posts":
        pattern = page.configuration.permalink("posts") or site or "date"
        return STYLES.get(pattern, pattern)
    if kind:
        pattern = page.configuration.permalink(kind)
        return pattern or f"/:collection/:path{'/' if is_folder else ':output_ext'}"
    folder = page.path.parent.as_posix().strip(".")
    if page.path.stem == "index":
        return f"/{_escape(folder)}/"
    return f"/{_escape(folder)}/{_escape(page.path.stem)}{'/' if is_folder else '.html'}"


def _escape(name: str) -> str:
    return name.replace(":", "\\:")


def _token(page: Page, values: dict[str, Any], kind: str, name: str) -> str | None:
    own = page.value("slug") or without_date(page.path.stem)
    tokens = {
        "title": slugs.jekyll(own, "pretty", cased=True),
        "slug": slugs.jekyll(own),
        "name": slugs.jekyll(page.path.stem),
        "path": _collection_path(page.path) if kind else page.path.parent.as_posix(),
        "basename": page.path.stem,
        "collection": kind,
        "output_ext": ".html",
        "categories": "/".join(_categories(page, values)),
        "slugified_categories": "/".join(
            dict.fromkeys(slugs.jekyll(c) for c in _categories(page, values))
        ),
    }
    if name not in tokens and page.moment is not None:
        tokens |= _dates(page)
    if name in tokens:
        return tokens[name]
    # `:title_suffix` is `:title` with a text behind it.
    shorter = name.rpartition("_")[0]
    rest = name.removeprefix(shorter)
    value = _token(page, values, kind, shorter) if shorter else None
    return None if value is None else value + rest


def _dates(page: Page) -> dict[str, str]:
    moment = page.moment
    assert moment is not None
    week = moment.isocalendar()
    return date_tokens(moment) | {
        "short_year": f"{moment.year % 100:02}",
        "short_month": f"{moment:%b}",
        "long_month": f"{moment:%B}",
        "y_day": f"{moment:%j}",
        "w_year": str(week.year),
        "week": f"{week.week:02}",
        "w_day": str(week.weekday),
        "short_day": f"{moment:%a}",
        "long_day": f"{moment:%A}",
    }


def _collection_path(path: PurePosixPath) -> str:
    return PurePosixPath(*path.parts[1:]).with_suffix("").as_posix()


def _categories(page: Page, values: dict[str, Any]) -> list[str]:
    """The folders above `_posts`, then the categories, in lower case and without repeats."""
    folders: list[str] = []
    for part in page.path.parts[:-1]:
        if part in _POST_FOLDERS:
            break
        folders.append(part)
    several, single = values.get("categories"), values.get("category")
    words = several.split() if isinstance(several, str) else several
    names = [*folders, *(words if isinstance(words, list) else []), *([single] if single else [])]
    return list(dict.fromkeys(str(name).lower() for name in names if name))


def _defaults(configuration: SourceConfiguration, path: PurePosixPath, kind: str) -> dict[str, Any]:
    """The values that `defaults` give to a file; those of a longer path win."""
    rules = configuration.values.get("defaults")
    matching: list[tuple[int, dict[str, Any]]] = []
    for rule in rules if isinstance(rules, list) else ():
        scope = rule.get("scope") if isinstance(rule, dict) else None
        values = rule.get("values") if isinstance(rule, dict) else None
        if isinstance(values, dict) and _in_scope(scope or {}, path, kind):
            matching.append((len(str((scope or {}).get("path") or "")), values))
    result: dict[str, Any] = {}
    for _, values in sorted(matching, key=lambda pair: pair[0]):
        result |= values
    return result


def _in_scope(scope: Any, path: PurePosixPath, kind: str) -> bool:
    if not isinstance(scope, dict):
        return False
    scope_type = str(scope.get("type") or "")
    if scope_type and scope_type != (kind or "pages"):
        return False
    pattern = str(scope.get("path") or "").strip("/")
    name = path.as_posix()
    if "*" in pattern:
        return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*")
    return not pattern or name == pattern or name.startswith(f"{pattern}/")
