"""A small tree of HTML that has already been sanitised, to be changed and written again.

Its depth is bounded, so the functions that walk it may recurse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from typing import TypeAlias

MAX_DEPTH = 100
_MATH, _MATH_END = "<math", "</math>"
_ALTTEXT = re.compile(r'<math[^<>]*? alttext="([^"]*)"')
_TAG = re.compile(r"<[^<>]*>")
_SANITIZED = re.compile(
    r"""(?P<text>[^<]+)|<(?:/(?P<end>[a-z][a-z0-9]*)"""
    r"""|(?P<start>[a-z][a-z0-9]*)(?P<attrs>(?:[ ][a-z][a-z-]*="[^"]*")*))>"""
)
"""Text or a tag, in the only spelling that the sanitizer writes."""
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
VOID = frozenset({"br", "col", "hr", "img", "input", "source", "wbr"})

Child: TypeAlias = "Node | str"


@dataclass(slots=True, kw_only=True)
class Node:
    """An element; its children are elements and text, unescaped.

    `raw` is the HTML of an element that is kept as it is; its children are its words.
    """

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    raw: str = ""

    def elements(self) -> Iterator["Node"]:
        """Give every element below this one, in document order; children may be replaced."""
        stack = [child for child in reversed(self.children) if isinstance(child, Node)]
        while stack:  # nested generators take longer
            node = stack.pop()
            yield node
            if node.children:
                stack += [child for child in reversed(node.children) if isinstance(child, Node)]

    def content(self) -> str:
        """All text below this element, as it stands."""
        return "".join(
            child.content() if isinstance(child, Node) else child for child in self.children
        )

    def has_class(self, name: str) -> bool:
        """Whether `name` is one of the element's classes."""
        classes = self.attrs.get("class")
        return classes is not None and name in classes.split()

    def become(self, tag: str, attrs: dict[str, str] | None = None) -> None:
        """Turn into another element around the same children."""
        self.tag = tag
        self.attrs = attrs or {}

    def wrap(self, tag: str, attrs: dict[str, str] | None = None) -> None:
        """Wrap this element in a new element, which takes its place."""
        inner = Node(tag=self.tag, attrs=self.attrs, children=self.children)
        self.tag, self.attrs, self.children = tag, attrs or {}, [inner]


class _Builder(HTMLParser):
    """Collects the events of a parser into a tree; reads what the sanitizer writes by itself."""

    def __init__(self, root: Node) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Node | None] = [root]
        self.parents = [root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs if value or name != "class"}
        node = Node(tag=tag, attrs=attributes)
        too_deep = len(self.parents) >= MAX_DEPTH
        if not too_deep or tag in VOID:
            self.parents[-1].children.append(node)
        if tag in VOID:
            return
        self.open.append(None if too_deep else node)
        if not too_deep:
            self.parents.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and len(self.open) > 1 and self.open.pop() is not None:
            self.parents.pop()

    def add(self, html: str) -> None:
        """Add the elements and texts of some HTML that begins and ends outside a tag."""
        tokens = [*_SANITIZED.finditer(html)]
        if sum(match.end() - match.start() for match in tokens) != len(html):
            self.feed(html)  # another spelling, as inside <iframe>
            self.close()
            return
        for match in tokens:
            if text := match["text"]:
                self.handle_data(unescape(text))
            elif end := match["end"]:
                self.handle_endtag(end)
            else:
                self.handle_starttag(match["start"], _attributes(match))

    def add_formula(self, html: str) -> None:
        """Add MathML as one element with its source as text."""
        match = _ALTTEXT.match(html)
        source = unescape(match[1] if match else _TAG.sub(" ", html))
        self.parents[-1].children.append(Node(tag="math", children=[source], raw=html))

    def handle_data(self, data: str) -> None:
        self.parents[-1].children.append(data)


def parse(html: str) -> Node:
    """Read well-formed HTML; an element below `MAX_DEPTH` gives up its tag, not its text.

    A formula is one element, however deep it is: only its source counts as text.
    """
    root = Node(tag="")
    builder = _Builder(root)
    position = 0
    while (start := html.find(_MATH, position)) >= 0:
        builder.add(html[position:start])
        end = html.find(_MATH_END, start)
        position = len(html) if end < 0 else end + len(_MATH_END)
        builder.add_formula(html[start:position])
    builder.add(html[position:])
    return root


def _attributes(tag: re.Match[str]) -> list[tuple[str, str | None]]:
    return [(name, unescape(value)) for name, value in _ATTRIBUTE.findall(tag["attrs"])]


def unwrap(root: Node) -> None:
    """Replace a plain `<div>` around the whole text by its content."""
    children = [child for child in root.children if isinstance(child, Node) or child.strip()]
    only = children[0] if len(children) == 1 else None
    if isinstance(only, Node) and only.tag == "div" and not only.attrs:
        root.children = only.children


def serialise(node: Node) -> str:
    """Write the tree as HTML; the root has no tag of its own."""
    pieces: list[str] = []
    _write(node, pieces)
    return "".join(pieces)


def _write(node: Node, pieces: list[str]) -> None:
    if node.raw:
        pieces.append(node.raw)
        return
    if node.tag:
        attrs = "".join(f' {name}="{escape(value)}"' for name, value in node.attrs.items())
        pieces.append(f"<{node.tag}{attrs}>")
        if node.tag in VOID:
            return
    for child in node.children:
        if isinstance(child, Node):
            _write(child, pieces)
        else:
            pieces.append(escape(child, quote=False))
    if node.tag:
        pieces.append(f"</{node.tag}>")
