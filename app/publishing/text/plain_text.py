"""Plain text out of the tree: for search, excerpts and counting words."""

import re
from collections.abc import Iterator
from html import escape

from .html_tree import Node

EXCERPT_LENGTH = 280
MAX_EXCERPT = 600

_INLINE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em i ins kbd mark math q rp rt ruby s samp small span "  # noqa: SIM905 - reads best as words
    "strong strike sub sup time tt u var wbr".split()
)
_NO_EXCERPT = frozenset({"details", "figure", "pre", "section", "table"})
# Scripts that put no space between words: each character counts as one.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
    r"|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+(?:['’.-][^\W_]+)*"
)


def text_of(node: Node) -> str:
    """Give the words of an element on one line."""
    return " ".join("".join(_pieces(node)).split())


def html_with_code(node: Node) -> str:
    """Give the words of an element as HTML that has no elements but `<code>`; empty if it has none.

    The result is as safe as its escaped text: no attribute of the text is kept.
    """
    if not any(child.tag == "code" for child in node.elements()):
        return ""
    return " ".join("".join(_code_pieces(node)).split())


def _code_pieces(node: Node) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            yield escape(child, quote=False)
        elif child.tag == "code":
            yield f"<code>{escape(''.join(_pieces(child)), quote=False)}</code>"
        elif not _is_footnote_link(child):
            yield from _code_pieces(child)


def _is_footnote_link(node: Node) -> bool:
    return node.has_class("footnote-ref") or node.has_class("footnote-backref")


def lines_of(node: Node) -> str:
    """Give the words of an element, a line for each block."""
    lines = (" ".join(line.split()) for line in "".join(_pieces(node)).split("\n"))
    return "\n".join(line for line in lines if line)


def count_words(root: Node) -> int:
    """How many words a reader reads: everything but code blocks."""
    prose = "".join(_pieces(root, skip=frozenset({"pre"})))
    return sum(1 for _ in _WORD.finditer(prose))


def excerpt(root: Node) -> str:
    """Take the text above a `<!-- more -->`, else the first paragraphs, cut at a word."""
    if any(node.tag == "hr" and node.has_class("more") for node in root.elements()):
        return shorten(" ".join(_paragraphs(root, until_more=True)), MAX_EXCERPT)
    excerpt_text = ""
    for paragraph in _paragraphs(root):
        excerpt_text = f"{excerpt_text} {paragraph}".strip()
        if len(excerpt_text) >= EXCERPT_LENGTH // 2:
            break
    return shorten(excerpt_text, EXCERPT_LENGTH)


def shorten(text: str, length: int) -> str:
    """Cut a text at the last word that fits, with an ellipsis."""
    if len(text) <= length:
        return text
    shortened = text[:length]
    if " " in shortened:
        shortened = shortened.rsplit(" ", 1)[0]
    return shortened.rstrip(" ,;:.–—-") + "…"


def _pieces(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            yield child if node.tag != "pre" else child.strip("\n")
        elif child.tag in skip or _is_footnote_link(child):
            continue
        elif child.tag in _INLINE:
            yield from _pieces(child, skip)
        else:
            yield "\n"
            yield from _pieces(child, skip)
            yield "\n"


def _paragraphs(node: Node, *, until_more: bool = False) -> Iterator[str]:
    for child in node.children:
        if not isinstance(child, Node):
            continue
        if until_more and child.tag == "hr" and child.has_class("more"):
            return
        if child.tag == "p" and not child.has_class("markdown-alert-title"):
            if text := text_of(child):
                yield text
        elif child.tag not in _NO_EXCERPT:
            yield from _paragraphs(child)
