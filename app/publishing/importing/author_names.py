"""The names of authors as front matter writes them: tables, Markdown links, never e-mail addresses.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_LINK = 2000

EMAIL = re.compile(r"(?<![^\s<(\[:;,])[^\s<>()@,;]+@[^\s<>()@,;]+\.[^\s<>()@,;]+")
_LINK = re.compile(r"\[([^\[\]]+)\]\(\s*<?([^()\s<>]*)>?[^()]*\)")
_NAME_KEYS = ("name", "display_name", "displayname", "title", "label", "nickname")
_KEYS = ("login", "slug", "id", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author as a file describes it."""

    name: str
    url: str = ""
    bio: str = ""


def without_email(text: str) -> str:
    """Return a name without e-mail addresses; empty if the text is nothing else."""
    rest = EMAIL.sub(" ", text.replace("mailto:", " "))
    if rest == text:
        return text
    return " ".join(re.sub(r"[<>()\[\]]", " ", rest).split()).strip(" ,;:–—-")


def split_link(text: str) -> Person:
    """Split a Markdown link into the name and its web address."""
    link = _LINK.fullmatch(text.strip()) if len(text) <= MAX_LINK else None
    if link is None:
        return Person(name=without_email(text))
    url = link[2] if link[2].startswith(("http://", "https://")) else ""
    return Person(name=without_email(link[1].strip()), url=url)


def name_in_table(table: Mapping[Any, Any]) -> str:
    """Return the name that a table of an author or a topic gives; empty if there is none."""
    values = {str(key).lower(): line_of_text(value) for key, value in table.items()}
    full = f"{values.get('first_name', '')} {values.get('last_name', '')}".strip()
    names = [*(values.get(key, "") for key in _NAME_KEYS), full]
    names += [values.get(key, "") for key in _KEYS]
    return next((name for one in names if (name := without_email(one))), "")


def line_of_text(value: Any) -> str:
    """Return a text or a number as one line; empty for any other value."""
    return " ".join(str(value).split()) if isinstance(value, (str, int)) else ""
