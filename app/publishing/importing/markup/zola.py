"""Zola's shortcodes: `{{ name(key="value") }}` and `{% name() %}…{% end %}`."""

from __future__ import annotations

import re

from .services import link_to_service
from .source import Edit, Source
from .tags import Tag, fill_template, read_arguments

CALL = "()"
"""The key under which a call waits for its `{% end %}`."""

_CALL = re.compile(r"[A-Za-z_]\w*\s*\((?P<arguments>.*)\)", re.DOTALL)


def is_call(tag: Tag) -> bool:
    """Tell whether the tag has the form of a call."""
    return _CALL.fullmatch(tag.content) is not None


def convert_call(tag: Tag, source: Source, body: str | None) -> str | None:
    """Return the text for a shortcode that is known; None for any other."""
    match = _CALL.fullmatch(tag.content)
    if match is None:
        return None
    arguments = read_arguments(match["arguments"])
    template = source.context.templates.get(tag.name)
    if template is not None:
        return fill_template(template, arguments, body or "")
    return link_to_service(tag.name, arguments)


def convert_tag(tag: Tag, partner: Tag | None, source: Source) -> list[Edit] | None:
    """Return the edits for a shortcode with a body."""
    body = source.text[tag.end : partner.start] if partner else None
    text = convert_call(tag, source, body)
    if text is None:
        return None
    return [Edit(start=tag.start, end=(partner or tag).end, text=text)]
