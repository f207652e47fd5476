"""Tables, code and task lists, made usable by keyboard and without style attributes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from app.i18n import Words, fill

from .html_tree import Node
from .plain_text import text_of

_ALIGN = re.compile(r"text-align:\s*(left|right|center)", re.IGNORECASE)
_HEADING = re.compile("h[1-6]")
_SCROLLS = {"class": "table-wrap", "role": "region"}
_LONGEST_NAME = 100
"""The longest name of a table, in characters; a screen reader reads it aloud."""


def tables(root: Node, words: Words) -> None:
    """Let wide tables scroll by themselves, each with its own name; say alignment by class."""
    for node in root.elements():
        if node.tag in {"td", "th"}:
            _align(node)
    nodes = [node for node in root.elements() if node.tag == "table"]
    names = _number_names([*_names_of_tables(root, words)])
    _wrap(root, {id(node): name for node, name in zip(nodes, names, strict=True)})


def _wrap(node: Node, names: Mapping[int, str]) -> None:
    for child in node.children:
        if isinstance(child, Node) and child.tag == "table":
            child.wrap("div", {**_SCROLLS, "aria-label": names[id(child)], "tabindex": "0"})
        elif isinstance(child, Node):
            _wrap(child, names)


def _names_of_tables(root: Node, words: Words) -> Iterator[str]:
    """Yield a name for each table: its caption, else the heading above it, else "Table"."""
    heading = ""
    for node in root.elements():
        if _HEADING.fullmatch(node.tag):
            heading = _words(node)
        elif node.tag == "table":
            caption = next((child for child in node.elements() if child.tag == "caption"), None)
            yield (_words(caption) if caption else "") or heading or words.gettext("Table")


def _number_names(names: Sequence[str]) -> Iterator[str]:
    """Yield each name; a name that occurs several times gets numbers, so that all are different."""
    totals = Counter(names)
    numbers = {name: count(1) for name in totals}
    taken = {name for name, total in totals.items() if total == 1}
    for name in names:
        unique = name
        while totals[name] > 1 and (unique == name or unique in taken):
            unique = f"{name} {next(numbers[name])}"
        taken.add(unique)
        yield unique


def _words(node: Node) -> str:
    """Return the text of an element in one line, cut at the longest name."""
    line = " ".join(text_of(node).split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1].rstrip() + "…"


def _align(node: Node) -> None:
    style = node.attrs.pop("style", "")
    side = node.attrs.pop("align", "").lower()
    if match := _ALIGN.search(style):
        side = match[1].lower()
    if side in {"left", "right", "center"}:
        node.attrs["class"] = f"align-{side}"


def code(root: Node) -> None:
    """Make a block of code scrollable with the keyboard."""
    for node in root.elements():
        if node.tag == "pre":
            node.attrs["tabindex"] = "0"


def tasks(root: Node, words: Words) -> None:
    """Draw a task's box as a character: a page without forms has no check box."""
    for node in root.elements():
        if node.tag == "input":
            is_checked = "checked" in node.attrs
            box = node.attrs.get("type", "").lower() == "checkbox"
            label = words.gettext("done") if is_checked else words.gettext("to do")
            node.become(
                "span", {"class": "task", "role": "img", "aria-label": label} if box else {}
            )
            node.children = ["☑" if is_checked else "☐"] if box else []


def labels(root: Node, words: Words) -> None:
    """Give a name to what a screen reader would only spell out: bars, footnotes, arrows back."""
    for node in root.elements():
        if node.tag == "progress" and "value" in node.attrs:
            whole = node.attrs.get("max") or "1"
            node.attrs["aria-label"] = fill(
                words.gettext("%(value)s of %(maximum)s"), value=node.attrs["value"], maximum=whole
            )
        elif node.has_class("footnotes"):
            node.attrs["aria-label"] = words.gettext("Footnotes")
        elif node.has_class("footnote-backref"):
            node.attrs["aria-label"] = words.gettext("Back to the text")


def without_more(node: Node) -> None:
    """Remove the mark that ends the excerpt."""
    node.children = [
        child
        for child in node.children
        if isinstance(child, str) or not (child.tag == "hr" and child.has_class("more"))
    ]
    for child in node.children:
        if isinstance(child, Node):
            without_more(child)
