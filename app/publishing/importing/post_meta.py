"""What a post says of itself: one shape for the fields that Hugo, Jekyll and Zola write."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias
from unicodedata import category

from app.publishing.languages import TagError

from . import dates
from .author_names import EMAIL, Person, name_in_table, split_link
from .frontmatter import Document, FrontMatterError
from .language_keys import LANGUAGE_KEYS, parse_language
from .publication.decision import Pairs, flatten
from .publication.rules import is_date

PostKind: TypeAlias = Literal["article", "page"]

MAX_TEXT = 2000
MAX_TITLE = 300
MAX_ALT = 500
MAX_LIST = 200
MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """The metadata of one post; None and () mean that nothing was written.

    `path` is what the file asks to be served at, without slashes at its ends. `date` may come from
    the front matter, the file's name (`name_date`) or the path. `publication` are the keys that
    decide whether the post is public; `language` is a valid tag (BCP 47); `remarks` are sentences
    by their key.
    """

    title: str | None = None
    date: datetime | None = None
    updated: datetime | None = None
    slug: str | None = None
    path: str | None = None
    authors: tuple[str, ...] = ()
    author_urls: tuple[tuple[str, str], ...] = ()
    topics: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    publication: Pairs = ()
    name_date: datetime | None = None
    description: str | None = None
    image: str | None = None
    weight: int | None = None
    menu: str | None = None
    kind: PostKind = "article"
    language: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[tuple[str, str], ...] = ()


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PAGE_TYPES = frozenset({"page", "pages", "static", "about"})
_PRIVATE_KEYS = frozenset({"comments", "meta", "password"})
_PRIVATE_WORDS = frozenset(
    {"email", "mail", "login", "ip", "token", "secret", "key", "password", "passwd", "apikey"}
)
TABLES = ("params", "extra")
"""Tables in which themes repeat the keys of the top level."""
_DATE_NAMES = (
    *("date", "publishdate", "publish_date", "publish-date", "pubdate", "published_at"),
    *("published_on", "published"),
)
_UPDATED_NAMES = ("updated", "lastmod", "last_modified_at", "modified", "updateddate")
_DESCRIPTION_NAMES = ("description", "subtitle", "excerpt", "summary")
_IMAGE_NAMES = ("image", "cover", "featured_image", "coverimage", "images", "thumbnail")
_WEIGHT_NAMES = ("weight", "order", "nav_order")
_OTHER_NAMES = """title slug path url permalink authors author tags categories category topics
aliases redirect_from menu menus type lang language locale"""
READ_KEYS = frozenset(
    (*_DATE_NAMES, *_UPDATED_NAMES, *_DESCRIPTION_NAMES, *_IMAGE_NAMES, *_WEIGHT_NAMES)
) | frozenset(_OTHER_NAMES.split())
"""The keys that fill a field of `Meta`."""


class _Reader:
    """Takes fields out of a document, each by its first name; what remains is extra.

    Names are compared in lower case, at the top level and inside `params` and `extra`.
    """

    def __init__(self, values: Mapping[str, Any], document: Document) -> None:
        self.document = document
        self.spellings: dict[str, str] = {}
        self.remaining: dict[str, Any] = {}
        self.remarks: list[tuple[str, str]] = []
        for name, value in values.items():
            self.spellings.setdefault(name.strip().lower(), name)
            self.remaining.setdefault(name.strip().lower(), value)

    def nested(self, *names: str) -> Any:
        """Return the first of `names` that a table of a theme holds."""
        for table in (self.remaining.get(name) for name in TABLES):
            if isinstance(table, dict):
                lower_values = {str(key).lower(): value for key, value in table.items()}
                usable = (
                    lower_values[name] for name in names if lower_values.get(name) not in (None, "")
                )
                if (value := next(usable, None)) is not None:
                    return value
        return None

    def take(self, *names: str) -> tuple[str, Any]:
        """Return the first of `names` that has a value, and remove all of them."""
        pairs = [(name, self.remaining.pop(name)) for name in names if name in self.remaining]
        usable = ((name, value) for name, value in pairs if value not in (None, ""))
        return next(usable, (names[0], self.nested(*names)))

    def extra(self) -> dict[str, Any]:
        """Return the fields that are stored as they are: none that may be private."""
        fields = {self.spellings[name]: value for name, value in self.remaining.items()}
        return {name: value for name, value in fields.items() if not is_private(name)}

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

    def convert_or_remark(self, convert: Callable[[Any], Any], *names: str) -> Any:
        """Convert as `convert` does; a value that is not understood is left out with a remark."""
        name, value = self.take(*names)
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            self.remarks.append((name, f"{name} is left out: {error}"))
            return None

    def read_line(self, limit: int, *names: str, is_essential: bool = False) -> str | None:
        """Read the first text of `names` on one line; what is too long is cut with a remark."""
        name = next(
            (name for name in names if self.remaining.get(name) not in (None, "")), names[0]
        )
        convert = self.convert if is_essential else self.convert_or_remark
        text = convert(_line, *names)
        return None if text is None else self._cut(name, text, limit)

    def cut_extra(self, limit: int, *names: str) -> None:
        """Cut texts among the fields without a meaning of their own, with a remark for each."""
        for name in names:
            value = self.remaining.get(name)
            if isinstance(value, str | int | float):
                text = " ".join(_CONTROL.sub(" ", str(value)).split())
                self.remaining[name] = self._cut(name, text, limit)
            elif value is not None:
                self.remaining.pop(name)
                self.remarks.append((name, f"{name} is left out, because it is not a text"))

    def read_list(self, *names: str, separator: str = "", limit: int = MAX_NAME) -> tuple[str, ...]:
        """Join the lists under all of `names`; a text is cut at the characters of `apart`."""
        distinct_names: dict[str, None] = {}
        for name in names:
            _, value = self.take(name)
            texts = tuple(self._read_names(name, value, separator))
            if len(texts) > MAX_LIST:
                self.remarks.append((name, f"{name} is cut after {MAX_LIST} entries"))
                texts = texts[:MAX_LIST]
            distinct_names |= dict.fromkeys(self._cut(name, text, limit) for text in texts)
        return tuple(distinct_names)

    def _read_names(self, key: str, value: Any, separator: str) -> Iterator[str]:
        """Yield the names of a list; an entry that is no name is left out with a remark."""
        for item in _split(value, separator):
            try:
                name = _line(_name_in(item))
            except ValueError as error:
                self.remarks.append((key, f"an entry of {key} is left out: {error}"))
                continue
            if name:
                yield name

    def _cut(self, key: str, text: str, limit: int) -> str:
        """Return the text within its limit; what is cut is a remark, not an error."""
        if len(text) <= limit:
            return text
        self.remarks.append((key, f"{key} is cut after {limit} characters: {text[:40]}…"))
        return text[:limit].rstrip()


def read_meta(document: Document, name: PurePosixPath, zone: tzinfo = UTC) -> Meta:
    """Read the metadata of a file; raises `FrontMatterError` with the line of what is wrong.

    Dates without a zone are in `zone`.
    """
    reader = _Reader(document.values, document)
    _read_navigation(reader)
    taxonomies = _taxonomies(reader)
    people = _people(reader)
    permalink = reader.remaining.get("permalink")
    if isinstance(permalink, (dict, bool)) or str(permalink).lower() == "false":
        del reader.remaining["permalink"]
    path = reader.convert(_path, "path", "url", "permalink")
    date = _date(reader, zone, *_DATE_NAMES)
    name_date = _date_elsewhere(name, path)
    _read_nested_alt(reader)
    reader.cut_extra(MAX_ALT, "cover_alt", "image_alt")
    return Meta(
        title=reader.read_line(MAX_TITLE, "title", is_essential=True),
        date=date or name_date,
        updated=_date(reader, zone, *_UPDATED_NAMES),
        slug=reader.read_line(MAX_NAME, "slug", is_essential=True),
        path=path,
        authors=tuple(dict.fromkeys(person.name for person in people)),
        author_urls=tuple((person.name, person.url) for person in people if person.url),
        topics=_merge_topics(reader, taxonomies),
        aliases=reader.read_list("aliases", "redirect_from", limit=MAX_TEXT),
        publication=flatten(document.values),
        name_date=name_date,
        description=reader.read_line(MAX_TEXT, *_DESCRIPTION_NAMES),
        image=reader.convert_or_remark(_image, *_IMAGE_NAMES),
        weight=reader.convert_or_remark(_number, *_WEIGHT_NAMES),
        menu=reader.convert_or_remark(_menu, "menu", "menus"),
        kind=_kind(reader, name),
        language=_language(reader),
        extra=reader.extra(),
        remarks=tuple(reader.remarks),
    )


def _read_navigation(reader: _Reader) -> None:
    """Read Eleventy's table of the menu; an entry below another one is not in it."""
    table = reader.remaining.get("eleventynavigation")
    if not isinstance(table, Mapping) or not table.get("key") or table.get("parent"):
        return
    reader.remaining.setdefault("menu", table["key"])
    if str(table.get("order", "")).isdecimal():
        reader.remaining.setdefault("weight", table["order"])


def is_private(name: str) -> bool:
    """Whether a field may hold readers' addresses or secrets, which are never stored."""
    spaced = re.sub("([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    words = re.findall("[a-z]+", spaced.lower())
    compact_name = "".join(words)
    singular = {word.removesuffix("s") for word in words} | set(words)
    return (
        compact_name in _PRIVATE_KEYS
        or "email" in compact_name
        or not _PRIVATE_WORDS.isdisjoint(singular)
    )


def _date(reader: _Reader, zone: tzinfo, *names: str) -> datetime | None:
    """Read the first date; one that can't be read is a reason of the publication, no error."""
    values = [reader.remaining.pop(name) for name in names if name in reader.remaining]
    for value in (*values, reader.nested(*names)):
        if value in (None, "") or not is_date(value):
            continue
        return dates.parse(value, zone)
    return None


def _date_elsewhere(name: PurePosixPath, path: str | None) -> datetime | None:
    own = name.parent.name if name.stem == "index" else name.name
    return dates.in_name(own) or (dates.in_path(path) if path else None)


def _taxonomies(reader: _Reader) -> tuple[str, ...]:
    """Read Zola's `[taxonomies]` table."""
    table = reader.remaining.get("taxonomies")
    if not isinstance(table, dict):
        return ()
    del reader.remaining["taxonomies"]
    inner = _Reader({str(key): value for key, value in table.items()}, reader.document)
    return inner.read_list(*(key for key in inner.remaining if key != "authors"))


def _people(reader: _Reader) -> tuple[Person, ...]:
    """Read the authors; an e-mail address is never part of a name."""
    people: list[Person] = []
    for key in ("authors", "author"):
        for text in reader.read_list(key, separator=",;"):
            person = split_link(text)
            if person.name:
                people.append(person)
            else:
                sentence = "an author is left out: an e-mail address is not shown; write the name"
                reader.remarks.append((key, sentence))
    return tuple(people)


def _merge_topics(reader: _Reader, taxonomies: tuple[str, ...]) -> tuple[str, ...]:
    """Join tags, categories and topics; Jekyll writes the first two as words in one line too."""
    words = reader.read_list("tags", "categories", separator=", ")
    names = reader.read_list("category", "topics", separator=",")
    return tuple(dict.fromkeys((*words, *names, *taxonomies)))


def _kind(reader: _Reader, name: PurePosixPath) -> PostKind:
    """Tell a page from an article: by what is written, else by the folder it lies in."""
    type_name = str(reader.take("type")[1] or reader.remaining.get("layout") or "").lower()
    if type_name in _PAGE_TYPES or name.parts[0] in {"pages", "page"}:
        return "page"
    return "article"


def _language(reader: _Reader) -> str | None:
    """Read the language; a value that is none stays a field without a meaning, with a remark."""
    language = None
    for key in LANGUAGE_KEYS:
        value = reader.remaining.get(key)
        value = reader.nested(key) if value in (None, "") else value
        if value in (None, ""):
            continue
        try:
            tag = parse_language(value)
        except TagError as error:
            sentence = f"{key}: {error}; the post is in the site's language"
            reader.remarks.append((key, sentence))
            continue
        language = language or tag
        reader.remaining.pop(key, None)
    return language


def _line(value: Any) -> str:
    if isinstance(value, (dict, list)):
        # The writer's value is wrong, not the caller's type.
        raise ValueError(f"a text is expected here, not {type(value).__name__}")  # noqa: TRY004
    text = " ".join(str(value).split())
    if any(category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("the text has control characters")
    return text


def _path(value: Any) -> str:
    return _line(value).strip("/")


def _split(value: Any, separator: str) -> list[Any]:
    """Return the entries of a list, or those of a text with a separator between them."""
    if isinstance(value, str):
        used = next((mark for mark in separator if mark in value.strip()), None)
        return value.split(used) if used else [value]
    values = value if isinstance(value, list) else [value]
    return [item for item in values if item is not None]


def _name_in(value: Any) -> Any:
    """Take the name out of an author or a topic that is written as a table."""
    if not isinstance(value, dict):
        return value
    if name := name_in_table(value):
        return name
    # The e-mail address is replaced by nothing, with a remark of the caller.
    email = next((text for text in map(str, value.values()) if EMAIL.search(text)), "")
    if email:
        return email[:200]
    raise ValueError("an entry is a table without a name")


def _read_nested_alt(reader: _Reader) -> None:
    """Take the alternative text out of `cover: {image: …, alt: …}`, as Hugo's themes write it."""
    tables = (reader.remaining.get(name) for name in _IMAGE_NAMES)
    table = next((table for table in tables if isinstance(table, dict)), {})
    if isinstance(alt := table.get("alt"), str) and "cover_alt" not in reader.remaining:
        reader.remaining["cover_alt"] = alt
        reader.spellings["cover_alt"] = "cover_alt"


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
