"""Tables, code and task lists, made usable by keyboard and without style attributes."""

import re

from .html_tree import Node

_ALIGN = re.compile(r"text-align:\s*(left|right|center)", re.IGNORECASE)
_SCROLLS = {"class": "table-wrap", "role": "region", "aria-label": "Table", "tabindex": "0"}


def tables(root: Node) -> None:
    """Let wide tables scroll by themselves; say alignment by class."""
    for node in root.elements():
        if node.tag in {"td", "th"}:
            _align(node)
    _wrap(root)


def _wrap(node: Node) -> None:
    for child in node.children:
        if isinstance(child, Node) and child.tag == "table":
            child.wrap("div", dict(_SCROLLS))
        elif isinstance(child, Node):
            _wrap(child)


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


def tasks(root: Node) -> None:
    """Draw a task's box as a character: a page without forms has no check box."""
    for node in root.elements():
        if node.tag == "input":
            is_checked = "checked" in node.attrs
            box = node.attrs.get("type", "").lower() == "checkbox"
            label = "done" if is_checked else "to do"
            node.become(
                "span", {"class": "task", "role": "img", "aria-label": label} if box else {}
            )
            node.children = ["☑" if is_checked else "☐"] if box else []


def labels(root: Node) -> None:
    """Give a name to what a screen reader would only spell out: bars, footnotes, arrows back."""
    for node in root.elements():
        if node.tag == "progress" and "value" in node.attrs:
            whole = node.attrs.get("max") or "1"
            node.attrs["aria-label"] = f"{node.attrs['value']} of {whole}"
        elif node.has_class("footnotes"):
            node.attrs["aria-label"] = "Footnotes"
        elif node.has_class("footnote-backref"):
            node.attrs["aria-label"] = "Back to the text"


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
