"""Addresses of Hexo: `permalink`, in which `:title` is the path of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha1
from typing import Any

from app.publishing.importing.configuration.values import is_true, table, text

from . import slugs
from .page import Page, date_tokens, fill, join

_NEW_NAME = {
    "year": r"(?P<year>\d{4})",
    "month": r"\d{2}",
    "i_month": r"\d{1,2}",
    "day": r"\d{2}",
    "i_day": r"\d{1,2}",
    "lang": r"[^/]+",
    "title": r"(?P<title>.+)",
}


def find(page: Page) -> Iterator[str]:
    """Yield the address at which Hexo served the page."""
    if value := page.value("permalink"):
        yield join(re.sub(r"^\w+://[^/]*", "", value), ending=_ending(value))
        return
    parts = page.path.parts
    if "_posts" in parts[:-1] or "_drafts" in parts[:-1]:
        pattern = page.configuration.permalink() or ":year/:month/:day/:title/"
        address = fill(pattern, lambda name: _token(page, name))
        yield join(address, ending=_ending(address))
    elif page.path.stem == "index":
        yield join(page.path.parent.as_posix().strip("."))
    else:
        pretty = table(page.configuration.values, "pretty_urls")
        ending = ".html" if is_true(pretty.get("trailing_html"), default=True) else ""
        yield join(page.path.with_suffix("").as_posix(), ending=ending)


def _ending(address: str) -> str:
    return "/" if address.endswith("/") else ""


def _title(page: Page) -> str:
    """The path below `_posts`, without what `new_post_name` puts in front of the title."""
    parts = page.path.parts
    start = next(n for n, part in enumerate(parts) if part in {"_posts", "_drafts"}) + 1
    path = page.path.relative_to(*parts[:start]).with_suffix("").as_posix()
    pattern = text(page.configuration.values, "new_post_name").removesuffix(".md")
    if not pattern or ":title" not in pattern:
        return path
    expression = re.escape(pattern).replace(r"\:", ":")
    try:
        match = re.fullmatch(fill(expression, _NEW_NAME.get), path)
    except re.error:
        match = None
    return match["title"] if match else path


def _token(page: Page, name: str) -> str | None:
    title = _title(page)
    values = {
        "title": title,
        "name": title.rpartition("/")[2],
        "post_title": slugs.hexo(page.title),
        "category": _category(page),
        "lang": page.language or page.configuration.default_language,
        "id": page.value("id") or None,
    }
    if page.moment is not None:
        values |= date_tokens(page.moment)
        stamp = str(int(page.moment.timestamp()))
        values["timestamp"] = stamp
        digest = sha1(f"{title}{stamp}".encode(), usedforsecurity=False)
        values["hash"] = digest.hexdigest()[:12]
    if name in values:
        return values[name]
    defaults = table(page.configuration.values, "permalink_defaults")
    return page.value(name.lower()) or text(defaults, name) or None


def _category(page: Page) -> str:
    """The path of the last category, each part made a slug."""
    options = page.configuration.values
    value: Any = page.values.get("categories") or page.values.get("category")
    if isinstance(value, list) and value and isinstance(value[-1], list):
        value = value[-1]
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        return text(options, "default_category") or "uncategorized"
    mapping = table(options, "category_map")
    parts = (slugs.hexo(text(mapping, str(name)) or str(name)) for name in names)
    lowers = str(options.get("filename_case")) == "1"
    path = "/".join(parts)
    return path.lower() if lowers else path
