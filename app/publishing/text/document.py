"""What rendering takes and gives: images with their sizes, and the finished text."""

from dataclasses import dataclass
from typing import NamedTuple

_WORDS_A_MINUTE = 230


class TextError(ValueError):
    """A text that is refused; the sentence says why and what to do."""


class Heading(NamedTuple):
    """A heading of the body, as the table of contents lists it."""

    level: int
    id: str
    text: str
    html: str = ""
    """The text as HTML, if it has `<code>`, which is the only element in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One smaller copy of an image: its URL and its width in pixels."""

    url: str
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that the page may show: URL, size in pixels, smaller copies."""

    url: str
    width: int
    height: int
    renditions: tuple[Rendition, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an image without an area: the page would jump when it loads."""
        if self.width < 1 or self.height < 1:
            raise ValueError(f"an image is at least 1×1 pixel, not {self.width}×{self.height}")

    @property
    def srcset(self) -> str | None:
        """The candidates for `srcset`, narrowest first; None without smaller copies."""
        if not self.renditions:
            return None
        candidates = {rendition.width: rendition.url for rendition in self.renditions}
        candidates.setdefault(self.width, self.url)
        return ", ".join(f"{url} {width}w" for width, url in sorted(candidates.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text after rendering: HTML for the page, plain text for search, and what it refers to.

    `images` and `links` are the references as they were written, each once, in order.
    """

    html: str
    text: str
    toc: tuple[Heading, ...]
    word_count: int
    excerpt: str
    images: tuple[str, ...]
    links: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def minutes(self) -> int:
        """How long it takes to read, one minute at least."""
        return max(1, (self.word_count + _WORDS_A_MINUTE // 2) // _WORDS_A_MINUTE)
