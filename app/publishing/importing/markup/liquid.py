"""Jekyll's tags and variables: `highlight`, `link`, `post_url`, `site.baseurl` and their kind."""

from __future__ import annotations

import re

from . import markdown
from .services import convert_service
from .source import Edit, Source
from .tags import Tag

UNDECIDABLE = frozenset(
    "assign break capture case continue cycle decrement echo else elsif elseif extends for if "  # noqa: SIM905 - reads best as words
    "ifchanged include include_relative increment layout liquid macro paginate import from "
    "render set tablerow unless when block call filter with super".split()
)
"""Tags whose result depends on the old site, so that it is unknown what its readers saw."""

_NOTHING = frozenset({"seo", "feed_meta", "toc"})
_NO_OPERATION = frozenset({"escape", "xml_escape", "strip", "safe", "e", "h"})
_ADDRESS = frozenset({"relative_url", "absolute_url", "url", "htmlBaseUrl", "url_for", "prepend"})
_LITERAL = re.compile(r"""(["'])(?P<text>[^"']*)\1""")
_HIGHLIGHT = re.compile(r"[\w+#.-]+")


def convert_tag(tag: Tag, partner: Tag | None, source: Source) -> list[Edit] | None:
    """Return the edits for one of Jekyll's tags; None for any other."""
    if tag.name == "highlight" and partner is not None:
        return _highlight(tag, partner, source)
    if tag.name in _NOTHING:
        return [Edit(start=tag.start, end=tag.end)]
    text = None
    if tag.name == "post_url" or (tag.name == "link" and _names_one_file(tag)):
        text = _address(tag, source)
    elif partner is None:
        text = convert_service(tag)
    return None if text is None else [Edit(start=tag.start, end=tag.end, text=text)]


def _names_one_file(tag: Tag) -> bool:
    """Tell Jekyll's `link path` from Hexo's `link text url`."""
    return len(tag.rest.split()) == 1


def _address(tag: Tag, source: Source) -> str:
    reference = tag.rest.strip("\"' ")
    address = source.context.find_post(reference)
    if address is None and tag.name == "link" and "://" in reference:
        return reference
    if address is None and tag.name == "link":
        return "/" + reference.lstrip("/")  # a file of the site: a picture, a download
    if address is None:
        source.remark(tag.start, f"the link to {reference} leads to no post of the folder")
        return "#"
    return address


def _highlight(tag: Tag, partner: Tag, source: Source) -> list[Edit]:
    match = _HIGHLIGHT.match(tag.rest)
    body = source.text[tag.end : partner.start]
    return fence_edits(source, tag, partner, markdown.fence(match[0] if match else "", body))


def fence_edits(source: Source, tag: Tag, partner: Tag, fence: tuple[str, str]) -> list[Edit]:
    """Return the edits that make a block of code of the text between two tags."""
    text = source.text
    indent = _indent(text, tag.start)
    body_start = (
        tag.end
        + len(text[tag.end : partner.start])
        - len(text[tag.end : partner.start].lstrip(" \t"))
    )
    has_break = text[body_start : body_start + 1] == "\n"
    first = fence[0] if indent is not None else f"\n\n{fence[0]}"
    end = len(text[: partner.start].rstrip(" \t\n"))
    last = "" if end <= body_start else f"\n{indent or ''}"
    after = "" if text[partner.end : partner.end + 1] in {"", "\n"} else "\n"
    return [
        Edit(
            start=tag.start,
            end=body_start if has_break else tag.end,
            text=first if has_break else f"{first}\n{indent or ''}",
        ),
        Edit(
            start=max(end, body_start), end=partner.end, text=f"{last or chr(10)}{fence[1]}{after}"
        ),
    ]


def _indent(text: str, position: int) -> str | None:
    """Return the blanks before a tag; None if other text stands before it on its line."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before if not before.strip(" \t>") else None


def evaluate(expression: str, source: Source) -> str | None:
    """Return the text of `{{ expression }}`; None if it can't be known."""
    first, *filters = (part.strip() for part in expression.split("|"))
    value = _value(first, source)
    if value is None:
        return None
    for name in (text.partition(":")[0].strip() for text in filters):
        if name in _ADDRESS:
            value = value if "://" in value or not value else "/" + value.lstrip("/")
        elif name not in _NO_OPERATION:
            return None
    return value


def _value(text: str, source: Source) -> str | None:
    literal = _LITERAL.fullmatch(text)
    if literal:
        return literal["text"]
    if text in {"site.baseurl", "site.BaseURL", "site.root", "config.root"}:
        return ""
    if text in {"site.url", "site.github.url", "SITEURL"}:
        return source.context.site_url
    return source.context.values.get(text)
