"""Redirects in files of lines: `_redirects` of Netlify and Cloudflare, and `.htaccess` of Apache.

Pure: text in, redirects out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from .model import OldRedirect

_STATUS = re.compile(r"\d{3}!?")
_QUERY = re.compile(r"[A-Za-z_][\w-]*=\S*")
_APACHE = re.compile(r"(redirect\w*|rewriterule)\s+(.*)", re.IGNORECASE)
_APACHE_STATUS = frozenset({"permanent", "temp", "seeother", "gone"})
_MIN_WORDS = 2


def read_host_lines(text: str, file: str) -> Iterator[OldRedirect]:
    """Read `/old /new 301` from each line; a comment begins with `#`, also behind a redirect."""
    for number, line in enumerate(text.splitlines(), 1):
        words = re.split(r"\s#", line.strip())[0].split()
        if len(words) < _MIN_WORDS or words[0].startswith("#") or "{{" in line:
            continue  # no redirect, or a template of Hugo
        targets = [word for word in words[1:] if word.startswith(("/", "http://", "https://"))]
        if not targets:
            continue
        place = words.index(targets[0], 1)
        before, after = words[1:place], words[place + 1 :]
        status = after[0] if after and _STATUS.fullmatch(after[0]) else ""
        conditions = after[1:] if status else after
        yield OldRedirect(
            source=_with_query(words[0], before),
            target=targets[0],
            file=file,
            line=number,
            status=status,
            has_condition=bool(conditions),
        )


def _with_query(source: str, parameters: list[str]) -> str:
    """Return the source with the query parameters that Netlify writes behind it."""
    pairs = [word for word in parameters if _QUERY.fullmatch(word)]
    return f"{source}?{'&'.join(pairs)}" if pairs else source


def read_htaccess(text: str, file: str) -> Iterator[OldRedirect]:
    """Read `Redirect` and `RedirectPermanent`; the directives with patterns are yielded as such."""
    for number, line in enumerate(text.splitlines(), 1):
        directive = _APACHE.fullmatch(line.strip())
        if directive is None:
            continue
        name, words = directive[1].lower(), _split(directive[2])
        if name in {"redirectmatch", "rewriterule"}:
            if name == "redirectmatch" or "R" in line:
                yield OldRedirect(source="*", target="*", file=file, line=number)
            continue
        status = "temp" if name == "redirecttemp" else ""
        if words and (words[0].lower() in _APACHE_STATUS or _STATUS.fullmatch(words[0])):
            status = words.pop(0)
        yield OldRedirect(
            source=words[0] if words else "",
            target=words[1] if len(words) > 1 else "",
            file=file,
            line=number,
            status=status,
        )


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
