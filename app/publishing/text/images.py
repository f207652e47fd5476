"""Images: sized, lazy, in several widths; alone in a paragraph they become figures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from .document import Image
from .html_tree import Node

Resolve: TypeAlias = Callable[[str], Image | None]

FILES = "/media/files/"
"""The start of the URLs of files that are no images."""

SIZES = "(min-width: 43rem) 39rem, 92vw"
"""How wide the column of the text is (`--measure`, `--gutter` in `site.css`)."""


@dataclass(slots=True, kw_only=True)
class ImageRewriter:
    """Rewrites the images of one text and remembers what it saw.

    A resolver is asked with the path as a file system would spell it, percent-decoded.
    """

    resolve: Resolve
    references: dict[str, None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def rewrite(self, node: Node, *, linked: bool = False) -> None:
        """Show every image below `node` that the site has; name the others in words."""
        for child in node.children:
            if not isinstance(child, Node):
                continue
            if child.tag == "img":
                self._rewrite(child, linked=linked)
            else:
                self.rewrite(child, linked=linked or child.tag == "a")

    def _rewrite(self, node: Node, *, linked: bool) -> None:
        source = node.attrs.get("src", "").strip()
        remote = source.startswith(("http:", "https:", "//"))
        reference = source if remote else unquote(source)
        if reference:
            self.references[reference] = None
        image = self.resolve(reference) if reference else None
        if image is not None:
            node.attrs = _attributes(image, node.attrs)
        elif remote:
            self.warnings.append(f"the image {source} lies on another site and became a link")
            _become_link(node, source, linked=linked)
        elif reference.startswith(FILES):
            self.warnings.append(f"{source} is no image and became a link")
            _become_link(node, source, linked=linked)
        else:
            self.warnings.append(f"the image {reference or 'without a source'} was not found")
            node.children = [_words(node, reference)]
            node.become("span", {"class": "image-missing"})


def _become_link(node: Node, source: str, *, linked: bool) -> None:
    """Make the image a link: a page loads no image from another site, and plays no file."""
    node.children = [node.attrs.get("alt") or source]
    node.become("span" if linked else "a", None if linked else {"href": source})


def _words(node: Node, reference: str) -> str:
    return node.attrs.get("alt") or reference.rpartition("/")[2]


def _attributes(image: Image, original: dict[str, str]) -> dict[str, str]:
    attrs = {"src": image.url, "alt": original.get("alt", "")}
    if title := original.get("title"):
        attrs["title"] = title
    if srcset := image.srcset:
        attrs |= {"srcset": srcset, "sizes": SIZES}
    size = {"width": str(image.width), "height": str(image.height)}
    return attrs | size | {"loading": "lazy", "decoding": "async"}


def figures(root: Node) -> None:
    """Turn a paragraph that holds one image and nothing else into a figure."""
    for node in root.elements():
        if node.tag != "p" or (image := _only_image(node)) is None:
            continue
        node.become("figure")
        node.children = [child for child in node.children if isinstance(child, Node)]
        if title := image.attrs.pop("title", ""):
            node.children.append(Node(tag="figcaption", children=[title]))


def _only_image(node: Node) -> Node | None:
    children = [c for c in node.children if isinstance(c, Node) or c.strip()]
    if len(children) != 1 or not isinstance(only := children[0], Node):
        return None
    if only.tag == "a":
        return _only_image(only)
    return only if only.tag == "img" else None
