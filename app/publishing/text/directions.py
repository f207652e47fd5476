"""Give a block of a text its own direction if it differs from that of the text around it.

An English paragraph in an Arabic text, or a cell such as "12 MB", is otherwise set in the wrong
order. What an author has set stays.
"""

from __future__ import annotations

from app.publishing.languages import Direction
from app.publishing.text_direction import find_first_direction, find_main_direction

from .html_tree import Node

_BLOCKS = frozenset(
    "blockquote caption dd dl dt figcaption h1 h2 h3 h4 h5 h6 ol p summary td th ul".split()  # noqa: SIM905 - reads best as words
)
_LEFT_OUT = frozenset({"code", "kbd", "math", "pre", "samp", "svg"})
"""Elements whose words are no text of a language."""


def set_directions(node: Node, direction: Direction) -> None:
    """Set `dir` on each block below a node; `direction` is that of the text around them."""
    for child in node.children:
        if not isinstance(child, Node) or child.tag in _LEFT_OUT or "dir" in child.attrs:
            continue
        own = direction
        if child.tag in _BLOCKS and is_opposite(_words(child), direction):
            own = child.attrs["dir"] = "ltr" if direction == "rtl" else "rtl"
        set_directions(child, own)


def is_opposite(text: str, direction: Direction) -> bool:
    """Return whether a text runs against a direction: most of its letters do.

    Text from right to left often has many Latin words; it is recognised by its first letter.
    """
    main = find_main_direction(text)
    if main is None or main == direction:
        return False
    return direction == "ltr" or find_first_direction(text) == main


def _words(node: Node) -> str:
    """Return the text of a node without code and formulas."""
    parts = []
    for child in node.children:
        if isinstance(child, str):
            parts.append(child)
        elif child.tag not in _LEFT_OUT:
            parts.append(_words(child))
    return "".join(parts)
