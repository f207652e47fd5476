"""Wording: a configuration's text, with `@{name}` where the site's own words go."""

from __future__ import annotations

from pathlib import Path
from string import Template


class _AtTemplate(Template):
    delimiter = "@"  # dollars mean something in every configuration


def fill_template(name: str, /, **words: str) -> str:
    """Fill in the text that lies beside this module under this name."""
    text = Path(__file__).parent.joinpath(name).read_text(encoding="utf-8")
    return _AtTemplate(text).substitute(words)


def quote_regex(pattern: str) -> str:
    """Write a regular expression between double quotes."""
    return '"' + pattern.replace('"', r"\x22") + '"'
