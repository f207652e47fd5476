"""The language that the front matter of a file states, under the keys of all tools."""

from __future__ import annotations

from typing import Any

from app.publishing.languages import TagError, parse_tag

LANGUAGE_KEYS = ("lang", "language", "locale")
"""Hugo themes, Jekyll, Pelican and Eleventy write `lang`; Ghost and others `locale`."""

_INNER_KEYS = ("code", "tag", "locale", "lang", "id")


def parse_language(value: Any) -> str:
    """Return the tag of a language as tools write it: `fa`, `pt_BR`, `en_US.UTF-8`, `{code: fa}`.

    Raises TagError.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        lower_values = {str(key).lower(): inner for key, inner in value.items()}
        value = next((lower_values[key] for key in _INNER_KEYS if key in lower_values), "")
    if not isinstance(value, str):
        raise TagError(f"{str(value)[:40]!r} is not one language tag such as en, de-CH or zh-Hant")
    return parse_tag(value.strip().partition(".")[0].replace("_", "-"))
