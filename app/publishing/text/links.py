"""Links: resolved inside the site, marked if they lead to other sites, created from bare URLs."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .headings import USER_PREFIX
from .html_tree import Child, Node

Resolve: TypeAlias = Callable[[str], str | None]

_NEVER_INSIDE = frozenset({"a", "code", "kbd", "math", "pre", "samp"})
BARE_URL = re.compile(r"(?<![\w@/.:])(?:https?://|www\.)[^\s<>\"“”]{3,2000}", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//|/|#", re.IGNORECASE)
_EMBEDS = frozenset({"audio", "iframe", "video"})


@dataclass(slots=True, kw_only=True)
class LinkRewriter:
    """Rewrites the links of one text and remembers what it saw."""

    resolve: Resolve
    references: dict[str, None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def rewrite(self, root: Node) -> None:
        """Resolve and mark every link below `root`."""
        ids = {node.attrs["id"] for node in root.elements() if node.attrs.get("id")}
        for node in root.elements():
            if node.tag == "a" and "href" in node.attrs:
                self._rewrite(node, ids)

    def _rewrite(self, node: Node, ids: set[str]) -> None:
        href = node.attrs["href"].strip().replace("\\", "%5C")
        if href.startswith("#"):
            node.attrs["href"] = _fragment(href, ids)
            return
        self.references[href] = None
        target = self.resolve(href)
        if target is None and href.startswith("@/"):
            self.warnings.append(f"the link {href} leads to no known post and was removed")
            node.become("span")
            return
        if target is None and not _ABSOLUTE.match(href):
            self.warnings.append(f"the link {href} is relative and leads to no known post")
        node.attrs["href"] = target if target is not None else href
        if target is None and href.startswith(("http:", "https:", "//")):
            node.attrs["rel"] = "external noopener"


def _fragment(href: str, ids: set[str]) -> str:
    name = href[1:]
    return f"#{USER_PREFIX}{name}" if name not in ids and USER_PREFIX + name in ids else href


def autolink(node: Node) -> None:
    """Turn bare `https://…` and `www.…` in text into links."""
    children: list[Child] = []
    for child in node.children:
        if isinstance(child, str):
            children.extend(_linked(child))
            continue
        if child.tag not in _NEVER_INSIDE:
            autolink(child)
        children.append(child)
    node.children = children


def _linked(text: str) -> list[Child]:
    pieces: list[Child] = []
    end = 0
    for match in BARE_URL.finditer(text):
        url = trim_url(match[0])
        pieces += [
            text[end : match.start()],
            Node(tag="a", attrs={"href": _full(url)}, children=[url]),
        ]
        end = match.start() + len(url)
    return [piece for piece in (*pieces, text[end:]) if piece]


def trim_url(url: str) -> str:
    """Leave the sentence its punctuation, and a parenthesis that was opened before the URL."""
    while url:
        shorter = url.rstrip("?!.,:;*_~'’]")
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == url:
            break
        url = shorter
    return url


def _full(url: str) -> str:
    return f"https://{url}" if url[:4].lower() == "www." else url


def unnest(node: Node, *, linked: bool = False) -> None:
    """Keep links out of links: a browser would tear them apart."""
    for child in node.children:
        if isinstance(child, Node):
            inside = linked or child.tag == "a"
            if linked and child.tag == "a":
                child.become("span")
            unnest(child, linked=inside)


def unembed(root: Node) -> list[str]:
    """Replace players and frames by a link to what they would have loaded."""
    warnings = []
    for node in root.elements():
        if node.tag not in _EMBEDS:
            continue
        url = node.attrs.get("src") or next(
            (child.attrs.get("src", "") for child in node.elements() if child.tag == "source"), ""
        )
        title = node.attrs.get("title") or url
        warnings.append(f"the {node.tag} of {url or 'nothing'} became a link")
        node.become("a", {"href": url} if url else None)
        node.children = [title]
        if any(child is node for child in root.children):
            node.wrap("p")
    return warnings
