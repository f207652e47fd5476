"""SVG drawings: kept as they are, but only when they are nothing but a drawing.

Read as a stream of events; entities, scripts and anything from outside end the reading.
"""

import re
import sys
from xml.parsers import expat

MEDIA_TYPE = "image/svg+xml"
MAX_ELEMENTS = 200_000
MAX_DEPTH = 500

_NAMESPACE = "http://www.w3.org/2000/svg"
_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE\s+svg|(?:\w+:)?svg[\s>/])", re.IGNORECASE
)
_ACTIVE = frozenset(
    {
        "audio",
        "embed",
        "foreignobject",
        "handler",
        "iframe",
        "listener",
        "object",
        "script",
        "video",
    }
)
_SAFE_REFERENCE = re.compile(r"\s*(?:#|data:image/(?:png|jpeg|gif|webp)[;,])", re.IGNORECASE)
_SAFE_LINK = re.compile(r"\s*(?:#|https?://)", re.IGNORECASE)
_LOADS = re.compile(
    r"@import|image-set\(|src\(|url\(\s*[\"']?\s*(?!#|data:(?:image/(?:png|jpeg|gif|webp)|font/|application/(?:x-)?font))",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"\s*\+?(\d{1,9}(?:\.\d*)?|\.\d+)(?:e[+-]?\d)?\s*([a-z%]*)\s*", re.IGNORECASE)
_PIXELS = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "mm": 96 / 25.4,
    "cm": 96 / 2.54,
    "in": 96.0,
    "em": 16.0,
    "ex": 8.0,
    "rem": 16.0,
}
_DEFAULT_SIZE = (300.0, 150.0)


class ImageError(ValueError):
    """An image that is refused; the sentence says why and what to do."""


def looks_like_svg(data: bytes) -> bool:
    """Whether bytes begin as an SVG file does."""
    return bool(_START.match(data[:1024]))


def inspect(data: bytes) -> tuple[int, int]:
    """Give width and height in pixels; raises `ImageError` for what is more than a drawing."""
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)  # noqa: FBT003 - the only way: this is all there is
    except expat.ExpatError as error:
        raise ImageError(
            f"The SVG is broken at line {error.lineno} ({expat.ErrorString(error.code)}); "
            "export it again."
        ) from None
    except (UnicodeError, LookupError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError("The SVG has an unknown encoding; save it as UTF-8.") from None
    return _size(reader.root)


class _Reader:
    """Refuses while it reads; keeps only the attributes of the root."""

    def __init__(self) -> None:
        self.root: dict[str, str] = {}
        self.depth = 0
        self.elements = 0
        self.style: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.entity
        self.parser.ProcessingInstructionHandler = self.instruction

    def start(self, name: str, attrs: dict[str, str]) -> None:
        """Look at an element and each of its attributes."""
        self.depth += 1
        self.elements += 1
        if self.elements > MAX_ELEMENTS or self.depth > MAX_DEPTH:
            raise ImageError("The SVG has too many elements or nests too deep; simplify it.")
        namespace, _, tag = name.rpartition(" ")
        if self.depth == 1:
            if tag != "svg" or namespace != _NAMESPACE:
                raise ImageError("The file is XML but not SVG; export it again as SVG.")
            self.root = attrs
        if tag.lower() in _ACTIVE:
            raise ImageError(f"The SVG holds <{tag}>, which can run code; export it without.")
        for key, value in attrs.items():
            _check_attribute(tag.lower(), key.rpartition(" ")[2].lower(), value)
        if self.style:
            raise ImageError("The SVG holds an element inside <style>; export it again.")
        self.style = [""] if tag.lower() == "style" else []

    def end(self, _name: str) -> None:
        """Look at a finished style sheet."""
        self.depth -= 1
        if self.style and _LOADS.search(_css("".join(self.style))):
            raise _outside()
        self.style = []

    def text(self, data: str) -> None:
        """Keep the text of a style sheet."""
        if self.style:
            self.style.append(data)

    def entity(self, *_: object) -> None:
        """Refuse entities: a few of them can expand to gigabytes."""
        raise ImageError("The SVG declares entities; export it without a DTD.")

    def instruction(self, *_: object) -> None:
        """Refuse style sheets from outside."""
        raise _outside()


def _check_attribute(tag: str, name: str, value: str) -> None:
    if name.startswith("on"):
        raise ImageError(f"The SVG has the event handler {name}; export it without.")
    if name in {"href", "src"} and value.strip():
        safe = _SAFE_LINK if tag == "a" else _SAFE_REFERENCE
        if not safe.match(value):
            raise _outside()
    if name == "attributename" and value.rpartition(":")[2].lower() in {"href", "src"}:
        raise ImageError("The SVG animates a link; export it without.")
    if ("(" in value or "@" in value or "\\" in value) and _LOADS.search(_css(value)):
        raise _outside()


def _css(text: str) -> str:
    """Undo comments and escapes, behind which CSS can hide a word."""
    text = re.sub(r"/\*.*?(?:\*/|$)", "", text, flags=re.DOTALL)
    unescaped = re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda m: _character(int(m[1], 16)), text)
    return unescaped.replace("\\", "")


def _character(code: int) -> str:
    return chr(code) if code <= sys.maxunicode else ""


def _outside() -> ImageError:
    return ImageError("The SVG loads something from outside itself; embed it or leave it out.")


def _size(root: dict[str, str]) -> tuple[int, int]:
    """Take the size from width and height, else from the viewBox, else the default of CSS."""
    width, height = _pixels(root.get("width")), _pixels(root.get("height"))
    box = _box(root.get("viewBox", ""))
    if width is None and height is None:
        width, height = box
    elif width is None:
        width = (height or 0) * box[0] / box[1]
    elif height is None:
        height = width * box[1] / box[0]
    return max(1, round(width or 0)), max(1, round(height or 0))


def _pixels(text: str | None) -> float | None:
    match = _LENGTH.fullmatch(text or "")
    if not match or match[2].lower() not in _PIXELS:
        return None
    return float(match[1]) * _PIXELS[match[2].lower()] or None


def _box(text: str) -> tuple[float, float]:
    try:
        _, _, width, height = map(float, text.replace(",", " ").split())
    except ValueError:
        return _DEFAULT_SIZE
    return (width, height) if 0 < width < 1e9 and 0 < height < 1e9 else _DEFAULT_SIZE  # noqa: PLR2004
