"""One redirect of the old site, as its file states it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

PATTERN = "a redirect with a pattern is not taken; list its addresses one by one in site.toml"
TEMPORARY = "a redirect that is not permanent is not taken"
CONDITION = "a redirect with a condition is not taken"

_PATTERN = re.compile(r"[*()\[\]{}$^|\\]|(?:^|/):\w")
_THEME_KEYS = frozenset({"redirect", "redirecturl"})
_PERMANENT = frozenset({"301", "308", "301!", "308!", "permanent", "true", "redirect", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRedirect:
    """An old address and its target, with the file and the line where they stand."""

    source: str
    target: str
    file: str
    line: int | None = None
    status: str = ""
    has_condition: bool = False

    def find_problem(self) -> str:
        """Say why the redirect can't be taken; empty if it can."""
        if not self.source or not self.target:
            return "a redirect without a source or a target is not taken"
        if not is_permanent(self.status):
            return TEMPORARY
        if self.has_condition:
            return CONDITION
        if _PATTERN.search(re.sub(r"^https?://", "", self.source)):
            return PATTERN
        return PATTERN if re.search(r"(?:^|/):\w|\$\d|\*$", self.target) else ""


def is_permanent(status: str) -> bool:
    """Tell whether a status is permanent; one that is not written counts as permanent."""
    return status.strip().lower() in _PERMANENT


def status_text(value: Any, *, permanent: Any = None) -> str:
    """Return the status of a table as a text; `permanent` is the switch of Vercel and Next."""
    if value not in (None, ""):
        return str(value)
    return str(int(HTTPStatus.FOUND)) if permanent is False else ""


def find_redirect_target(pairs: Iterable[tuple[str, Any]]) -> str:
    """Return where a post redirects to by its own front matter; empty if it shows its text."""
    for key, value in pairs:
        first = value[0] if isinstance(value, list) and value else value
        text = first.strip() if isinstance(first, str) else ""
        is_address = text.startswith(("/", "http://", "https://"))
        if text and (key == "redirectto" or (key in _THEME_KEYS and is_address)):
            return text
    return ""
