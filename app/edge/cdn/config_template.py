"""Templates of configurations, with `@{name}` for the values of the site."""

from __future__ import annotations

from pathlib import Path
from string import Template

from ..name import IDENTIFIER, NAME, TITLE


class _AtTemplate(Template):
    delimiter = "@"  # a dollar has a meaning in every configuration language


def fill_template(name: str, /, **words: str) -> str:
    """Fill the template file of this name in the folder of this module."""
    text = Path(__file__).parent.joinpath(name).read_text(encoding="utf-8")
    return _AtTemplate(text).substitute(words, identifier=IDENTIFIER, prefix=TITLE, own_name=NAME)


def quote_regex(pattern: str) -> str:
    """Return a regular expression in double quotes."""
    return '"' + pattern.replace('"', r"\x22") + '"'
