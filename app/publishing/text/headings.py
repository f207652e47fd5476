"""Headings: never an `<h1>` in a body, each with an id that lasts and a link to itself."""

import re

from app.i18n import Words, fill
from app.publishing.slugs import slugify

from .document import Heading
from .html_tree import Node
from .plain_text import html_with_code, text_of

# The page around the body has these ids; a heading must not take them away.
RESERVED_IDS = frozenset(
    {"article", "body", "content", "footer", "header", "main", "menu", "nav", "q", "search", "top"}
)
USER_PREFIX = "u-"

_LEVELS = {f"h{level}": level for level in range(1, 7)}
_EXPLICIT = re.compile(r"\{\s*#([A-Za-z0-9_:.-]{1,100})[^{}]*\}\s*")
_OURS = re.compile(r"fn(?:ref)?\d+(?::\d+)?")


def drop_title(root: Node, *titles: str) -> None:
    """Remove a first heading that only repeats the title, in one of its spellings."""
    first = next((child for child in root.children if not _blank(child)), None)
    if isinstance(first, Node) and first.tag == "h1":
        heading = text_of(first)
        if any(_same(heading, title) for title in titles):
            root.children.remove(first)


def shift(root: Node) -> None:
    """Move every heading one level down when the body has an `<h1>`."""
    headings = [node for node in root.elements() if node.tag in _LEVELS]
    if any(node.tag == "h1" for node in headings):
        for node in headings:
            node.tag = f"h{min(_LEVELS[node.tag] + 1, 6)}"


def identify(root: Node, words: Words) -> tuple[Heading, ...]:
    """Give each heading its id and its link, prefix all other ids, and list the headings.

    Headings in closed `<details>` are not listed: a link to one leads to nothing that is visible.
    """
    used_ids: dict[str, int] = {}
    entries = []
    hidden = _find_hidden(root)
    nodes = [node for node in root.elements() if node.tag in _LEVELS]
    for node in nodes:
        preferred_id = _explicit(node) or node.attrs.get("id", "")
        text = text_of(node)
        node.attrs["id"] = _unique(preferred_id or slugify(text) or "section", used_ids)
        if text and id(node) not in hidden:
            html = html_with_code(node)
            entries.append(Heading(_LEVELS[node.tag], node.attrs["id"], text, html))
        if text:
            node.children.append(_anchor(node.attrs["id"], text, words))
    _prefix_others(root, used_ids, {id(node) for node in nodes})
    return tuple(entries)


def _find_hidden(root: Node) -> set[int]:
    """Return the identities of the elements inside closed `<details>`."""
    closed = [n for n in root.elements() if n.tag == "details" and "open" not in n.attrs]
    return {id(node) for details in closed for node in details.elements()}


def _explicit(node: Node) -> str | None:
    """Take `{#id}` off the end of a heading."""
    last = node.children[-1] if node.children else None
    start = last.rfind("{") if isinstance(last, str) else -1
    if not isinstance(last, str) or start < 0 or not (match := _EXPLICIT.fullmatch(last, start)):
        return None
    node.children[-1] = last[:start].rstrip()
    return match[1]


def _unique(preferred_id: str, used_ids: dict[str, int]) -> str:
    base = re.sub(r"[^A-Za-z0-9_:.-]+", "-", preferred_id).strip("-") or "section"
    if base in RESERVED_IDS or base.startswith(USER_PREFIX):
        base = f"section-{base}"
    unique_id, number = base, used_ids.get(base, 0)
    while unique_id in used_ids or _OURS.fullmatch(unique_id):
        number += 1
        unique_id = f"{base}-{number}"
    used_ids[unique_id] = 1
    used_ids[base] = max(number, 1)
    return unique_id


def _anchor(identifier: str, text: str, words: Words) -> Node:
    label = fill(words.gettext("Link to “%(heading)s”"), heading=text)
    attrs = {"class": "anchor", "href": f"#{identifier}", "aria-label": label}
    return Node(tag="a", attrs=attrs)


def _prefix_others(root: Node, used_ids: dict[str, int], headings: set[int]) -> None:
    for node in root.elements():
        name = node.attrs.pop("name", "")
        identifier = node.attrs.get("id") or name
        if not identifier or id(node) in headings:
            continue
        if not _OURS.fullmatch(identifier):
            identifier = USER_PREFIX + identifier.removeprefix(USER_PREFIX)
        node.attrs.pop("id", None)
        if identifier not in used_ids:
            used_ids[identifier] = 1
            node.attrs["id"] = identifier


def _blank(child: Node | str) -> bool:
    return isinstance(child, str) and not child.strip()


def _same(title: str, heading: str) -> bool:
    return " ".join(title.split()).casefold() == " ".join(heading.split()).casefold()
