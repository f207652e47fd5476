"""What a post says of itself: one shape for the fields that Hugo, Jekyll and Zola write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias
from unicodedata import category

from . import dates
from .frontmatter import Document, FrontMatterError

PostKind: TypeAlias = Literal["article", "page"]

MAX_TEXT = 2000
MAX_LIST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """The metadata of one post; None and () mean that nothing was written.

    `path` is what the file asks to be served at, without slashes at its ends. `date` may come from
    the front matter, the file's name or the path.
    """

    title: str | None = None
    date: datetime | None = None
    updated: datetime | None = None
    slug: str | None = None
    path: str | None = None
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    draft: bool = False
    description: str | None = None
    image: str | None = None
    weight: int | None = None
    menu: str | None = None
    kind: PostKind = "article"
    extra: Mapping[str, Any] = field(default_factory=dict)


_PAGE_TYPES = frozenset({"page", "pages", "static", "about"})
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0", ""})


class _Reader:
    """Takes fields out of a document, each by its first known name; what is remaining is extra."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.remaining = {
            key.lower() if key.isupper() else key: v for key, v in document.values.items()
        }

    def take(self, *names: str) -> tuple[str, Any]:
        """Give the first of `names` that has a value, and forget all of them."""
        pairs = [(name, self.remaining.pop(name)) for name in names if name in self.remaining]
        return next(((name, value) for name, value in pairs if value not in (None, "")), ("", None))

    def convert(self, convert: Callable[[Any], Any], *names: str) -> Any:
        """Convert the first of `names` that has a value; an error names its line."""
        name, value = self.take(*names)
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            line = self.document.line_of(name)
            raise FrontMatterError(f"{name}: {error}", line=line) from None

    def read_list(self, *names: str, separator: str = "") -> tuple[str, ...]:
        """Join the lists under all of `names`; a text is cut at the characters of `apart`."""
        collected: dict[str, None] = {}
        for name in names:
            collected |= dict.fromkeys(
                self.convert(lambda value: _names(value, separator), name) or ()
            )
        return tuple(collected)


def read_meta(document: Document, name: PurePosixPath) -> Meta:
    """Read the metadata of a file; raises `FrontMatterError` with the line of what is wrong."""
    reader = _Reader(document)
    taxonomies = _taxonomies(reader)
    path = reader.convert(_path, "path", "url", "permalink")
    date = reader.convert(dates.parse, "date", "publishDate", "publishdate", "published_at")
    return Meta(
        title=reader.convert(_line, "title"),
        date=date or _date_elsewhere(name, path),
        updated=reader.convert(dates.parse, "updated", "lastmod", "last_modified_at", "modified"),
        slug=reader.convert(_line, "slug"),
        path=path,
        authors=reader.read_list("authors", "author", separator=",;"),
        topics=_merge_topics(reader, taxonomies),
        aliases=reader.read_list("aliases", "redirect_from"),
        draft=_draft(reader),
        description=reader.convert(_line, "description", "subtitle", "excerpt", "summary"),
        image=reader.convert(_image, "image", "cover", "featured_image", "images", "thumbnail"),
        weight=reader.convert(_number, "weight", "order", "nav_order"),
        menu=reader.convert(_menu, "menu", "menus"),
        kind=_kind(reader, name),
        extra=dict(reader.remaining),
    )


def _date_elsewhere(name: PurePosixPath, path: str | None) -> datetime | None:
    own = name.parent.name if name.stem == "index" else name.name
    return dates.in_name(own) or (dates.in_path(path) if path else None)


def _taxonomies(reader: _Reader) -> tuple[str, ...]:
    """Read Zola's `[taxonomies]` table."""
    table = reader.remaining.get("taxonomies")
    if not isinstance(table, dict):
        return ()
    del reader.remaining["taxonomies"]
    inner = _Reader(reader.document)
    inner.remaining = {str(key): value for key, value in table.items()}
    return inner.read_list(*(key for key in inner.remaining if key != "authors"))


def _merge_topics(reader: _Reader, taxonomies: tuple[str, ...]) -> tuple[str, ...]:
    """Join tags, categories and topics; Jekyll writes the first two as words in one line too."""
    words = reader.read_list("tags", "categories", separator=", ")
    names = reader.read_list("category", "topics", separator=",")
    return tuple(dict.fromkeys((*words, *names, *taxonomies)))


def _draft(reader: _Reader) -> bool:
    draft = bool(reader.convert(_truth, "draft"))
    published = reader.convert(_truth, "published")
    return draft or published is False


def _kind(reader: _Reader, name: PurePosixPath) -> PostKind:
    """Tell a page from an article: by what is written, else by the folder it lies in."""
    type_name = str(reader.take("type")[1] or reader.remaining.get("layout") or "").lower()
    if type_name in _PAGE_TYPES or name.parts[0] in {"pages", "page"}:
        return "page"
    return "article"


def _line(value: Any) -> str:
    if isinstance(value, (dict, list)):
        # The writer's value is wrong, not the caller's type.
        raise ValueError(f"a text is expected here, not {type(value).__name__}")  # noqa: TRY004
    text = " ".join(str(value).split())
    if len(text) > MAX_TEXT:
        raise ValueError(f"the text is longer than {MAX_TEXT} characters")
    if any(category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("the text has control characters")
    return text


def _path(value: Any) -> str:
    return _line(value).strip("/")


def _names(value: Any, separator: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if isinstance(value, str):
        used = next((mark for mark in separator if mark in value.strip()), None)
        values = value.split(used) if used else [value]
    if len(values) > MAX_LIST:
        raise ValueError(f"the list has more than {MAX_LIST} entries")
    names = (_line(_name_in(item)) for item in values)
    return tuple(name for name in names if name)


def _name_in(value: Any) -> Any:
    """Take the name out of an author or a topic that is written as a table."""
    if not isinstance(value, dict):
        return value
    for key in ("name", "title", "slug", "id", "email"):
        if value.get(key):
            return value[key]
    raise ValueError("an entry is a table without a name")


def _image(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = next((value[key] for key in ("image", "src", "path", "url") if key in value), "")
    return _line(value)


def _menu(value: Any) -> str:
    """Name the first menu that the post belongs to."""
    if isinstance(value, (dict, list)):
        value = next(iter(value), "")
    return _line(value)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a whole number") from None


def _truth(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise ValueError(f"{value!r} is neither true nor false")
    return text in _YES
