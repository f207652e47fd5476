"""Remove what an SVG file holds beside its drawing, and leave every other byte as it is.

Pure: bytes in, bytes out. Editors store comments, licence data, the source of the drawing and paths
of the author's disk in an SVG, and draw.io wraps each label in a `<foreignObject>` of HTML with a
plain `<text>` beside it for programs that can't show HTML. Browsers draw the rest.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from xml.parsers import expat

_NAMESPACE = "http://www.w3.org/2000/svg"
_REMOVED_ELEMENTS = frozenset({"foreignobject", "metadata"})
_ACTIVE_ELEMENTS = frozenset({"script", "handler", "listener"})
_TAG = re.compile(rb"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_PRIVATE_ATTRIBUTE = re.compile(
    rb"\s(?:(?:inkscape|sodipodi|serif|sketch|figma|dc|rdf):[\w.-]+|content)\s*=\s*(?:\"[^\"]*\"|'[^']*')"
)
_EMBEDDED_IMAGE = re.compile(rb"(data:image/(?:png|jpe?g|gif|webp);base64,)([^\"')<>]+)")
_LINE_BREAK = re.compile(rb"\s+|&#(?:x0*[aAdD9]|0*(?:9|10|13));")

Span = tuple[int, int]


def clean(data: bytes, clean_image: Callable[[bytes], bytes]) -> bytes:
    """Return the drawing alone; `clean_image` removes the metadata of an embedded picture.

    Data that is no well-formed XML is returned as it is: the check of the drawing refuses it.
    """
    reader = _Reader(data)
    try:
        reader.parser.Parse(data, True)  # noqa: FBT003 - the only way: this is all there is
    except (expat.ExpatError, UnicodeError, LookupError, ValueError):
        return data
    drawing = _remove_spans(data, reader.spans)
    return _EMBEDDED_IMAGE.sub(lambda match: _clean_embedded(match, clean_image), drawing)


class _Reader:
    """Collects the byte spans that go: elements, attributes and comments."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spans: list[Span] = []
        self.depth = 0
        self.removal_start: tuple[int, int] | None = None
        """The depth and the first byte of the element that is being removed."""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CommentHandler = self.comment
        self.parser.EntityDeclHandler = self.entity

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Begin to remove an element, or remove attributes of one that stays."""
        self.depth += 1
        if self.removal_start is not None:
            return
        position = self.parser.CurrentByteIndex
        namespace, _, tag = name.rpartition(" ")
        end = self._tag_end(position)
        if _is_removed(namespace, tag.lower()):
            if self.data[end - 2 : end] == b"/>":
                self.spans.append((position, end))
            else:
                self.removal_start = (self.depth, position)
            return
        for match in _PRIVATE_ATTRIBUTE.finditer(self.data, position, end):
            if self.depth == 1 or not match[0].lstrip().startswith(b"content"):
                self.spans.append(match.span())

    def end(self, _name: str) -> None:
        """End the removal of an element with its end tag."""
        if self.removal_start is not None and self.removal_start[0] == self.depth:
            end = self._tag_end(self.parser.CurrentByteIndex)
            self.spans.append((self.removal_start[1], end))
            self.removal_start = None
        self.depth -= 1

    def entity(self, *_: object) -> None:
        """End the reading: a file that declares entities is refused as a whole."""
        raise ValueError("entities")

    def comment(self, _text: str) -> None:
        """Remove a comment."""
        if self.removal_start is None:
            start = self.parser.CurrentByteIndex
            self.spans.append((start, self.data.index(b"-->", start + 4) + 3))

    def _tag_end(self, position: int) -> int:
        match = _TAG.match(self.data, position)
        if match is None:  # an entity of the DTD: the check of the drawing refuses those
            raise ValueError(position)
        return match.end()


def _is_removed(namespace: str, tag: str) -> bool:
    """Whether an element goes: HTML in a drawing, metadata, and what is no SVG and runs no code."""
    if namespace == _NAMESPACE:
        return tag in _REMOVED_ELEMENTS
    return bool(namespace) and tag not in _ACTIVE_ELEMENTS


def _remove_spans(data: bytes, spans: list[Span]) -> bytes:
    parts, position = [], 0
    for start, end in sorted(spans):
        parts.append(data[position:start])
        position = max(position, end)
    return b"".join((*parts, data[position:]))


def _clean_embedded(match: re.Match[bytes], clean_image: Callable[[bytes], bytes]) -> bytes:
    """Return the data URL with the picture's metadata removed; a damaged one becomes empty."""
    try:
        image = base64.b64decode(_LINE_BREAK.sub(b"", match[2]), validate=True)
        clean_data = clean_image(image)
    except (binascii.Error, ValueError):
        return match[1]
    return match[1] + base64.b64encode(clean_data)
