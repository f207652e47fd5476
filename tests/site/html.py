"""What a page must be, whatever it shows: well-formed, one heading, nothing inline, nothing foreign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905 - reads best as words
LOADS = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}

Attributes = dict[str, str]


class Page(HTMLParser):
    """A page, read strictly: an unbalanced tag is noted, not mended."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes]] = []
        self.wrong: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        names = Counter(name for name, _ in attrs)
        self.wrong += [f"<{tag}> says {name} twice" for name, n in names.items() if n > 1]
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an end that ends something else."""
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)

    def all(self, tag: str) -> list[Attributes]:
        """The attributes of all elements of one kind."""
        return [attributes for element_name, attributes in self.elements if element_name == tag]

    def links(self) -> list[str]:
        """Where its links lead."""
        return [attributes.get("href", "") for attributes in self.all("a")]


def problems(html: str) -> list[str]:
    """What is wrong with a page; nothing is."""
    page = Page(html)
    return [*page.wrong, *_structure(page), *_images(page), *_foreign(page)]


def _structure(page: Page) -> Iterator[str]:
    for tag in ("h1", "main", "title"):
        if (count := len(page.all(tag))) != 1:
            yield f"{count} of <{tag}>"
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    yield from (f"id {name} stands twice" for name, count in ids.items() if count > 1)
    for link in page.links():
        if link.startswith("#") and link[1:] not in ids:
            yield f"{link} leads nowhere"


def _images(page: Page) -> Iterator[str]:
    for image in page.all("img"):
        yield from (
            f"{image.get('src')} has no {name}"
            for name in ("alt", "width", "height")
            if name not in image
        )


def _foreign(page: Page) -> Iterator[str]:
    for tag, attributes in page.elements:
        if "style" in attributes or any(name.startswith("on") for name in attributes):
            yield f"<{tag}> has something inline"
        if tag == "style" or (tag == "script" and attributes.get("type") != "application/ld+json"):
            yield f"<{tag}> is inline"
        loaded = attributes.get(LOADS.get(tag, ""), "")
        if loaded.startswith(("http", "//")) and attributes.get("rel") != "canonical":
            yield f"<{tag}> loads {loaded}"
