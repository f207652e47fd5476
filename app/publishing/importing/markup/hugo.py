"""Hugo's shortcodes: `{{< name >}}` and `{{% name %}}`.

Hugo expands them inside code as well. Only comments and escapes are converted there, since the
result of any other shortcode is no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import dedent

from . import markdown
from .liquid import fence_edits
from .services import link_to_service
from .source import Edit, Source, protect
from .tags import Arguments, Tag, fill_template, find_tags, read_arguments

_DELIMITERS = {"{{<": ">}}", "{{%": "%}}"}
_OPENINGS = ("{{<", "{{%")


def convert_shortcodes(source: Source) -> Iterator[Edit]:
    """Yield an edit for each shortcode that is converted or removed."""
    expands_code = source.tool in {"", "hugo"}
    text = source.text if expands_code else source.masked
    tags = list(find_tags(text, _DELIMITERS, original=source.text))
    comments, rest = _split_comments(source, tags)
    yield from comments
    outside = []
    for tag in rest:
        if tag.content.startswith("/*") and tag.content.endswith("*/"):
            yield _unescape(source, tag)
        elif source.masked.startswith(_OPENINGS, tag.start):
            outside.append(tag)
    partners = _pair(outside)
    closings = {partner.start for partner in partners.values()}
    for tag in outside:
        if tag.start not in closings:
            yield from _convert(source, tag, partners.get(tag.start))


def _split_comments(source: Source, tags: list[Tag]) -> tuple[list[Edit], list[Tag]]:
    """Return the edits that remove comments, and the tags outside them."""
    edits: list[Edit] = []
    rest: list[Tag] = []
    start: Tag | None = None
    for tag in tags:
        is_comment = tag.name == "comment" and not tag.content.startswith("/*")
        if start is None and is_comment and tag.content.endswith("/"):
            source.remark(tag.start, "the comment was never shown and is removed")
            edits.append(Edit(start=tag.start, end=tag.end))
        elif start is None and is_comment and not tag.is_closing:
            start = tag
        elif start is not None and is_comment and tag.is_closing:
            source.remark(start.start, "the comment was never shown and is removed")
            edits.append(Edit(start=start.start, end=tag.end))
            start = None
        elif start is None:
            if is_comment and _is_expanded(source, tag):
                source.hold_back(tag.start, "the end of a comment closes nothing; kept a draft")
            rest.append(tag)
    if start is not None and _is_expanded(source, start):
        source.hold_back(start.start, "the comment is never closed; it is kept a draft")
    return edits, rest


def _is_expanded(source: Source, tag: Tag) -> bool:
    """Tell whether a shortcode certainly was one: code of an unknown tool may only mention it."""
    return source.tool == "hugo" or source.masked.startswith(_OPENINGS, tag.start)


def _unescape(source: Source, tag: Tag) -> Edit:
    """Show an escaped shortcode (`{{</* x */>}}`) as text."""
    inner = source.text[tag.start + len(tag.opening) : tag.end - len(tag.opening)]
    first, last = inner.find("/*"), inner.rfind("*/")
    shown = f"{tag.opening}{inner[first + 2 : last]}{_DELIMITERS[tag.opening]}"
    return Edit(start=tag.start, end=tag.end, text=protect(shown))


def _pair(tags: list[Tag]) -> dict[int, Tag]:
    """Find the closing tag of each tag that has one."""
    partners: dict[int, Tag] = {}
    open_tags: dict[str, list[Tag]] = {}
    for tag in tags:
        if not tag.is_closing:
            if not tag.content.endswith("/"):
                open_tags.setdefault(tag.name, []).append(tag)
        elif open_tags.get(tag.name):
            partners[open_tags[tag.name].pop().start] = tag
    return partners


def _convert(source: Source, tag: Tag, partner: Tag | None) -> Iterator[Edit]:
    template = source.context.templates.get(tag.name)
    arguments = read_arguments(tag.rest)
    if template is not None:
        yield from _apply_template(source, tag, partner, fill_template, template)
    elif partner is not None and tag.name == "highlight":
        yield from _highlight(source, tag, partner, arguments)
    elif partner is not None and tag.name == "details":
        before, after = markdown.details(arguments.get("summary", 0))
        yield Edit(start=tag.start, end=tag.end, text=before)
        yield Edit(start=partner.start, end=partner.end, text=after)
    elif (text := _text(source, tag.name, arguments)) is not None:
        yield Edit(start=tag.start, end=tag.end, text=text)
        if partner is not None:
            yield Edit(start=partner.start, end=partner.end)
    elif tag.name:
        source.note_unknown_tag(tag.start, tag.name)


def _apply_template(
    source: Source,
    tag: Tag,
    partner: Tag | None,
    fill: Callable[[str, Arguments, str], str],
    template: str,
) -> Iterator[Edit]:
    arguments = read_arguments(tag.rest)
    if partner is not None and "{body}" in template:
        body = source.text[tag.end : partner.start]
        yield Edit(start=tag.start, end=partner.end, text=fill(template, arguments, body))
        return
    yield Edit(start=tag.start, end=tag.end, text=fill(template, arguments, ""))
    if partner is not None:
        yield Edit(start=partner.start, end=partner.end)


def _highlight(source: Source, tag: Tag, partner: Tag, arguments: Arguments) -> list[Edit]:
    body = source.text[tag.end : partner.start]
    language = arguments.get("lang", "type", 0)
    first, last = fence_edits(source, tag, partner, markdown.fence(language, body))
    if body.startswith("\n"):
        inner = source.text[first.end : last.start]
        return [first, Edit(start=first.end, end=last.start, text=protect(dedent(inner))), last]
    return [first, last]


def _text(source: Source, name: str, arguments: Arguments) -> str | None:
    """Return what a shortcode without a body becomes; None for one that is not known."""
    convert = _SHORTCODES.get(name)
    return convert(source, arguments) if convert else link_to_service(name, arguments)


def _figure(_: Source, arguments: Arguments) -> str | None:
    place = arguments.get("src", 0)
    if not place:
        return None
    caption = arguments.get("caption")
    alt = arguments.get("alt") or caption
    attribution = arguments.get("attr")
    if attribution and arguments.get("attrlink"):
        attribution = markdown.link(attribution, arguments.get("attrlink"))
    parts = (arguments.get("title"), caption, attribution)
    words = " ".join(part for part in parts if part)
    return markdown.image(place, alt, words, arguments.get("link"))


def _reference(source: Source, arguments: Arguments) -> str | None:
    reference = arguments.get("path", 0)
    path, mark, fragment = reference.partition("#")
    if not path:
        return reference or None
    return (source.context.find_post(path) or path) + mark + fragment


def _param(source: Source, arguments: Arguments) -> str | None:
    name = arguments.get("name", 0)
    values = source.context.values
    return values.get(f"page.{name}", values.get(f"site.{name}"))


def _qr(_: Source, arguments: Arguments) -> str | None:
    return arguments.get("text", 0) or None


_SHORTCODES: dict[str, Callable[[Source, Arguments], str | None]] = {
    "figure": _figure,
    "param": _param,
    "qr": _qr,
    "ref": _reference,
    "relref": _reference,
}
