"""Conversion of a whole text, one kind of tag after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .admonitions import convert_admonitions
from .comments import convert_html_comments, convert_other_comments
from .containers import convert_containers
from .hugo import convert_shortcodes
from .kramdown import convert_kramdown
from .leftovers import convert_wiki_links, name_leftovers
from .source import ConvertedText, Edit, MarkupContext, Source, close_source, open_source
from .template_tags import convert_template_tags
from .wordpress import convert_brackets

_CONVERTERS: tuple[Callable[[Source], Iterator[Edit]], ...] = (
    convert_shortcodes,
    convert_template_tags,
    convert_html_comments,
    convert_kramdown,
    convert_other_comments,
    convert_brackets,
    convert_wiki_links,
    convert_containers,
    convert_admonitions,
)
"""Tags first: a comment of a template may enclose half of an HTML comment."""


def convert_markup(
    text: str, tool: str = "", context: MarkupContext | None = None
) -> ConvertedText:
    """Convert the tags of the tool that wrote `text`; an empty `tool` means an unknown one.

    Needs time in proportion to the length of the text. No word is lost but comments, members' text
    and the tags themselves.
    """
    source = open_source(text, tool, context or MarkupContext())
    for convert in _CONVERTERS:
        source.apply(list(convert(source)))
    name_leftovers(source)
    return close_source(source)
