"""Headings: never an `<h1>` in a body, each with an id that lasts and a link to itself."""

import re

from app.publishing.slugs import slugify

from .document import Heading
from .html_tree import Node
from .plain_text import text_of

# The page around the body has these ids; a heading must not take them away.
RESERVED_IDS = frozenset(
    {"article", "body", "content", "footer", "header", "main", "menu", "nav", "q", "search", "top"}
)
USER_PREFIX = "u-"

_LEVELS = {f"h{level}": level for level in range(1, 7)}
_EXPLICIT = re.compile(r"\{\s*#([A-Za-z0-9_:.-]{1,100})[^{}]*\}\s*")
_OURS = re.compile(r"fn(?:ref)?\d+(?::\d+)?")


def drop_title(root: Node, title: str) -> None:
    """Remove a first heading that only repeats the title."""
    first = next((child for child in root.children if not _blank(child)), None)
    if isinstance(first, Node) and first.tag == "h1" and _same(text_of(first), title):
        root.children.remove(first)


def shift(root: Node) -> None:
    """Move every heading one level down when the body has an `<h1>`."""
    headings = [node for node in root.elements() if node.tag in _LEVELS]
    if any(node.tag == "h1" for node in headings):
        for node in headings:
            node.tag = f"h{min(_LEVELS[node.tag] + 1, 6)}"


def identify(root: Node) -> tuple[Heading, ...]:
    """Give each heading its id and its link, prefix all other ids, and list the headings."""
    taken: dict[str, int] = {}
    found = []
    nodes = [node for node in root.elements() if node.tag in _LEVELS]
    for node in nodes:
        wanted = _explicit(node) or node.attrs.get("id", "")
        text = text_of(node)
        node.attrs["id"] = _unique(wanted or slugify(text) or "section", taken)
        if text:
            found.append(Heading(_LEVELS[node.tag], node.attrs["id"], text))
            node.children.append(_anchor(node.attrs["id"], text))
    _prefix_others(root, taken, {id(node) for node in nodes})
    return tuple(found)


def _explicit(node: Node) -> str | None:
    """Take `{#id}` off the end of a heading."""
    last = node.children[-1] if node.children else None
    start = last.rfind("{") if isinstance(last, str) else -1
    if not isinstance(last, str) or start < 0 or not (match := _EXPLICIT.fullmatch(last, start)):
        return None
    node.children[-1] = last[:start].rstrip()
    return match[1]


def _unique(wanted: str, taken: dict[str, int]) -> str:
    base = re.sub(r"[^A-Za-z0-9_:.-]+", "-", wanted).strip("-") or "section"
    if base in RESERVED_IDS or base.startswith(USER_PREFIX):
        base = f"section-{base}"
    chosen, number = base, taken.get(base, 0)
    while chosen in taken or _OURS.fullmatch(chosen):
        number += 1
        chosen = f"{base}-{number}"
    taken[chosen] = 1
    taken[base] = max(number, 1)
    return chosen


def _anchor(identifier: str, text: str) -> Node:
    attrs = {"class": "anchor", "href": f"#{identifier}", "aria-label": f"Link to “{text}”"}
    return Node(tag="a", attrs=attrs)


def _prefix_others(root: Node, taken: dict[str, int], headings: set[int]) -> None:
    for node in root.elements():
        name = node.attrs.pop("name", "")
        identifier = node.attrs.get("id") or name
        if not identifier or id(node) in headings:
            continue
        if not _OURS.fullmatch(identifier):
            identifier = USER_PREFIX + identifier.removeprefix(USER_PREFIX)
        node.attrs.pop("id", None)
        if identifier not in taken:
            taken[identifier] = 1
            node.attrs["id"] = identifier


def _blank(child: Node | str) -> bool:
    return isinstance(child, str) and not child.strip()


def _same(left: str, right: str) -> bool:
    return " ".join(left.split()).casefold() == " ".join(right.split()).casefold()
