"""Hexo's tag plugins: `asset_img`, `post_link`, `blockquote`, `codeblock` and their kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import markdown
from .containers import quote_edits
from .liquid import fence_edits
from .source import Edit, Source
from .tags import Arguments, Tag, read_arguments

_LANGUAGE = re.compile(r"\blang:(\S+)")
_NUMBER = re.compile(r"\d+(?:px|%)?")
_NOTES = {
    "info": "NOTE",
    "primary": "NOTE",
    "default": "NOTE",
    "success": "TIP",
    "warning": "WARNING",
    "danger": "CAUTION",
}


def convert_tag(tag: Tag, partner: Tag | None, source: Source) -> list[Edit] | None:
    """Return the edits for one of Hexo's tags; None for any other."""
    if partner is not None and tag.name in _PAIRED:
        return _PAIRED[tag.name](tag, partner, source)
    convert = _SINGLE.get(tag.name)
    text = convert(read_arguments(tag.rest), source) if convert else None
    return None if text is None else [Edit(start=tag.start, end=tag.end, text=text)]


def _code(tag: Tag, partner: Tag, source: Source) -> list[Edit]:
    language = _LANGUAGE.search(tag.rest)
    body = source.text[tag.end : partner.start]
    edits = fence_edits(source, tag, partner, markdown.fence(language[1] if language else "", body))
    words = [word for word in tag.rest.split() if ":" not in word or "//" in word]
    if words:
        title = Edit(start=tag.start, end=tag.start, text=f"{' '.join(words)}\n\n")
        return [title, *edits]
    return edits


def _quote(tag: Tag, partner: Tag, source: Source) -> list[Edit]:
    edits = quote_edits(source, tag, partner, "")
    if tag.rest:
        edits.append(Edit(start=partner.end, end=partner.end, text=f"\n\n— {tag.rest}\n"))
    return edits


def _note(tag: Tag, partner: Tag, source: Source) -> list[Edit]:
    kind, _, title = tag.rest.partition(" ")
    head = f"[!{_NOTES.get(kind, 'NOTE')}]"
    if title.strip():
        head = f"{head}\n**{title.strip()}**\n"
    return quote_edits(source, tag, partner, head)


def _asset_image(arguments: Arguments, _: Source) -> str | None:
    values = list(arguments.positional)
    at = next((n for n, value in enumerate(values) if re.search(r"\.\w{2,5}$", value)), None)
    if at is None:
        return None
    texts = [value for value in values[at + 1 :] if not _NUMBER.fullmatch(value)]
    return markdown.image(values[at], alt=texts[-1] if texts else "")


def _image(arguments: Arguments, _: Source) -> str | None:
    values = list(arguments.positional)
    at = next((n for n, value in enumerate(values) if "/" in value or "." in value), None)
    if at is None:
        return None
    texts = [value for value in values[at + 1 :] if not _NUMBER.fullmatch(value)]
    alt = texts[-1] if texts else ""
    # Hexo writes both in one argument: "title text 'alt text'".
    inner = re.search(r"""['"]([^'"]+)['"]\s*$""", alt)
    return markdown.image(values[at], alt=inner[1] if inner else alt)


def _link(arguments: Arguments, _: Source) -> str | None:
    values = list(arguments.positional)
    at = next((n for n, v in enumerate(values) if v.startswith(("/", "http:", "https:"))), None)
    if at is None or at == 0:
        return None
    return markdown.link(" ".join(values[:at]), values[at])


def _post_link(arguments: Arguments, source: Source) -> str | None:
    name = arguments.get(0)
    address = source.context.find_post(name)
    text = " ".join(v for v in arguments.positional[1:] if v not in {"true", "false"})
    if address is None:
        return text or name
    return markdown.link(text or name.rpartition("/")[2], address)


def _post_path(arguments: Arguments, source: Source) -> str | None:
    return source.context.find_post(arguments.get(0))


def _asset_link(arguments: Arguments, _: Source) -> str | None:
    name = arguments.get(0)
    text = " ".join(v for v in arguments.positional[1:] if v not in {"true", "false"})
    return markdown.link(text or name, name) if name else None


def _first(arguments: Arguments, _: Source) -> str | None:
    return arguments.get(0) or None


def _frame(arguments: Arguments, _: Source) -> str | None:
    url = arguments.get(0)
    return markdown.link(url, url) if url else None


_SINGLE: dict[str, Callable[[Arguments, Source], str | None]] = {
    "a": _link,
    "anchor": _link,
    "asset_image": _asset_image,
    "asset_img": _asset_image,
    "asset_link": _asset_link,
    "asset_path": _first,
    "full_url_for": _first,
    "iframe": _frame,
    "image": _image,
    "img": _image,
    "link": _link,
    "post_link": _post_link,
    "post_path": _post_path,
    "url_for": _first,
}
_PAIRED: dict[str, Callable[[Tag, Tag, Source], list[Edit]]] = {
    "blockquote": _quote,
    "code": _code,
    "codeblock": _code,
    "note": _note,
    "pullquote": _quote,
    "quote": _quote,
}
