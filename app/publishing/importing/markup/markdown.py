"""Pieces of Markdown that tags become."""

from __future__ import annotations

import re
from html import escape

_TICKS = re.compile(r"`{3,}")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")
_MARKDOWN = re.compile(r"[*_`\[\]<]")
_BRACKETS = re.compile(r"([\[\]\\])")


def link(text: str, url: str) -> str:
    """Return a link, or only its text without an address."""
    label = _BRACKETS.sub(r"\\\1", " ".join(text.split())) or url
    return f"[{label}]({_target(url)})" if url else label


def image(source: str, alt: str = "", caption: str = "", url: str = "") -> str:
    """Return an image, in a link if there is a `url`; a plain caption becomes its title."""
    alt = _BRACKETS.sub(r"\\\1", " ".join(alt.split()))
    caption = " ".join(caption.split())
    is_plain = not _MARKDOWN.search(caption)
    title = caption.replace("\\", "\\\\").replace('"', '\\"') if is_plain else ""
    markdown = f'![{alt}]({_target(source)} "{title}")' if title else f"![{alt}]({_target(source)})"
    if url:
        markdown = f"[{markdown}]({_target(url)})"
    return markdown if is_plain else f"{markdown}\n\n{caption}\n"


def fence(language: str, body: str) -> tuple[str, str]:
    """Return the lines before and after a block of code, longer than any fence inside it."""
    longest = max((len(ticks) for ticks in _TICKS.findall(body)), default=2)
    ticks = "`" * max(3, longest + 1)
    name = language if _LANGUAGE.fullmatch(language) else ""
    return f"{ticks}{name}", ticks


def details(summary: str) -> tuple[str, str]:
    """Return what stands before and after a text that a reader can unfold."""
    start = f"<details><summary>{escape(summary or 'Details', quote=False)}</summary>\n\n"
    return start, "\n\n</details>\n"


def _target(url: str) -> str:
    url = url.strip()
    needs_brackets = any(character in url for character in " ()")
    return f"<{url.replace('<', '%3C').replace('>', '%3E')}>" if needs_brackets else url
