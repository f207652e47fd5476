"""Tags between `{%` and `%}`, which Jekyll, Hexo, Zola and Nunjucks use, and `{{ … }}`.

Jekyll expands them inside code as well, so its texts are read as a whole; those of other tools are
read outside code only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import hexo_tags, liquid, zola
from .source import TEMPLATE_TOOLS, Edit, Source, is_private, protect
from .tags import Arguments, Tag, fill_template, find_tags, read_arguments

_DELIMITERS = {"{%": "%}", "{{": "}}", "{#": "#}"}
_COMMENTS = frozenset({"comment", "doc"})
_LITERAL = frozenset({"raw", "verbatim"})
_EXPANDS_CODE = frozenset({"jekyll"})


def convert_template_tags(source: Source) -> Iterator[Edit]:
    """Yield an edit for each tag that is converted or removed."""
    text = source.text if source.tool in _EXPANDS_CODE else source.masked
    tags = list(find_tags(text, _DELIMITERS, original=source.text))
    rest: list[Tag] = []
    yield from _remove_unshown(source, tags, rest)
    yield from _Converter(source=source, tags=rest).edits()


def _remove_unshown(source: Source, tags: list[Tag], rest: list[Tag]) -> Iterator[Edit]:
    """Remove comments, protect literal text, and put the other tags into `rest`."""
    has_other_tags = any(tag.opening != "{#" for tag in tags)
    endless: set[str] = set()
    index = 0
    while index < len(tags):
        tag = tags[index]
        end = None
        if tag.opening == "{%" and tag.name in _COMMENTS:
            end = _find_end(tags, index, endless, nested=True)
            yield from _remove_comment(source, tag, end, tags)
        elif tag.opening == "{%" and tag.name in _LITERAL:
            end = _find_end(tags, index, endless, nested=False)
            yield from _keep_literally(source, tag, end, tags)
        elif tag.opening == "{%" and tag.content.startswith("#"):
            yield Edit(start=tag.start, end=tag.end)
        elif tag.opening == "{#":
            yield from _remove_short_comment(source, tag, has_other_tags=has_other_tags)
        else:
            rest.append(tag)
        index = (index if end is None else end) + 1


def _find_end(tags: list[Tag], index: int, endless: set[str], *, nested: bool) -> int | None:
    """Return the index of the tag that closes this one.

    `endless` collects the names for which a search failed, so that each is searched only once.
    """
    name, depth = tags[index].name, 0
    if name in endless:
        return None
    for position in range(index, len(tags)):
        tag = tags[position]
        if tag.opening != "{%":
            continue
        if tag.name == name and (nested or position == index):
            depth += 1
        elif tag.name == f"end{name}":
            depth -= 1
            if depth == 0:
                return position
    endless.add(name)
    return None


def _remove_comment(source: Source, tag: Tag, end: int | None, tags: list[Tag]) -> Iterator[Edit]:
    if end is None:
        source.hold_back(tag.start, f"the {tag.name} is never closed; it is kept a draft")
        return
    source.remark(tag.start, f"the {tag.name} was never shown and is removed")
    yield Edit(start=tag.start, end=tags[end].end)


def _keep_literally(source: Source, tag: Tag, end: int | None, tags: list[Tag]) -> Iterator[Edit]:
    if end is None:
        source.remark(tag.start, f"the tag {tag.name!r} is never closed and stays as text")
        return
    closing = tags[end]
    literal = protect(source.text[tag.end : closing.start])
    yield Edit(start=tag.start, end=closing.end, text=literal)


def _remove_short_comment(source: Source, tag: Tag, *, has_other_tags: bool) -> Iterator[Edit]:
    """Remove `{# … #}` where the tool has such comments; else only name it."""
    if source.tool in TEMPLATE_TOOLS - {"", "jekyll"} or (not source.tool and has_other_tags):
        source.remark(tag.start, "the comment {# … #} was never shown and is removed")
        yield Edit(start=tag.start, end=tag.end)
    elif source.tool in TEMPLATE_TOOLS:
        source.remark(tag.start, "{# … #} may be a comment of a template; it stays as text")


@dataclass(slots=True, kw_only=True)
class _Converter:
    """Converts the tags that remain, each with the tag that closes it."""

    source: Source
    tags: list[Tag]
    partners: dict[int, Tag] = field(default_factory=dict)
    closings: set[int] = field(default_factory=set)

    def edits(self) -> Iterator[Edit]:
        self._pair()
        for tag in self.tags:
            if tag.opening == "{{":
                yield from self._output(tag)
            elif tag.start not in self.closings:
                yield from self._tag(tag)

    def _pair(self) -> None:
        """Find the tag that closes each tag: `endname`, or Zola's `end` for `name()`."""
        open_tags: dict[str, list[Tag]] = {}
        for tag in self.tags:
            if tag.opening != "{%":
                continue
            if tag.name.startswith("end"):
                key = zola.CALL if tag.name == "end" else tag.name.removeprefix("end")
                if open_tags.get(key):
                    self.partners[open_tags[key].pop().start] = tag
                    self.closings.add(tag.start)
            else:
                key = zola.CALL if zola.is_call(tag) else tag.name
                open_tags.setdefault(key, []).append(tag)

    def _output(self, tag: Tag) -> Iterator[Edit]:
        if tag.content.startswith(("<", "%", "/")):
            return  # Hugo's shortcode, which stays as text
        value = zola.convert_call(tag, self.source, None)
        if value is None:
            value = liquid.evaluate(tag.content, self.source)
        if value is not None:
            yield Edit(start=tag.start, end=tag.end, text=value)
        elif self.source.tool in TEMPLATE_TOOLS:
            name = tag.name or tag.content[:40]
            self.source.note_unknown_tag(tag.start, name)

    def _tag(self, tag: Tag) -> Iterator[Edit]:
        partner = self.partners.get(tag.start)
        edits = self._mapped(tag, partner)
        for convert in (zola.convert_tag, liquid.convert_tag, hexo_tags.convert_tag):
            if edits is None:
                edits = convert(tag, partner, self.source)
        if edits is not None:
            yield from edits
        else:
            self._note_unknown(tag, partner)

    def _mapped(self, tag: Tag, partner: Tag | None) -> list[Edit] | None:
        """Apply the site's own template for this tag."""
        template = self.source.context.templates.get(tag.name)
        if template is None:
            return None
        body = self.source.text[tag.end : partner.start] if partner else ""
        text = fill_template(template, _arguments(tag), body)
        if partner is None or "{body}" in template:
            return [Edit(start=tag.start, end=(partner or tag).end, text=text)]
        return [
            Edit(start=tag.start, end=tag.end, text=text),
            Edit(start=partner.start, end=partner.end),
        ]

    def _note_unknown(self, tag: Tag, partner: Tag | None) -> None:
        if self.source.tool not in TEMPLATE_TOOLS and not (partner and is_private(tag.name)):
            self.source.remark(tag.start, f"the tag {tag.name!r} stays as text")
        elif tag.name in liquid.UNDECIDABLE:
            sentence = f"{{% {tag.name} %}} decides what readers see; it is kept a draft"
            self.source.hold_back(tag.start, sentence)
        elif tag.name.startswith("end") and tag.name[3:] in _COMMENTS | _LITERAL:
            sentence = f"{{% {tag.name} %}} closes nothing; it is kept a draft"
            self.source.hold_back(tag.start, sentence)
        elif tag.name:
            self.source.note_unknown_tag(tag.start, tag.name)


def _arguments(tag: Tag) -> Arguments:
    rest = tag.rest
    if zola.is_call(tag):
        rest = rest[1:-1]
    return read_arguments(rest)
