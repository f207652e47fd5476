"""Find the old addresses of a file: by its tool, its aliases and its date."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

from app.publishing.importing import source_urls
from app.publishing.importing.configuration import SourceConfiguration, Tool
from app.publishing.importing.feed_ids import EXPLICIT_KEYS
from app.publishing.importing.file_language import FileLanguage, find_folder_language
from app.publishing.importing.frontmatter import Document
from app.publishing.importing.post_meta import Meta
from app.publishing.paths import normal

from . import hexo, hugo, jekyll, others, pelican, zola
from .page import Page, date_of_name, date_tokens, fill, join, moments

_FINDERS: dict[Tool, Callable[[Page], Iterator[str]]] = {
    Tool.HUGO: hugo.find,
    Tool.JEKYLL: jekyll.find,
    Tool.ZOLA: zola.find,
    Tool.PELICAN: pelican.find,
    Tool.HEXO: hexo.find,
    Tool.NIKOLA: others.find_nikola,
    Tool.DOCUSAURUS: others.find_docusaurus,
    Tool.ASTRO: others.find_astro,
    Tool.ELEVENTY: others.find_eleventy,
}
_IN_ZONE = frozenset({Tool.JEKYLL})
_ALIAS_KEYS = ("aliases", "redirect_from", "alias", "url", "permalink", "path", "blogger_orig_url")
_DATE_KEYS = ("date", "publishdate", "pubdate", "published_at")
_UNTRANSLATED = frozenset({Tool.JEKYLL, Tool.DOCUSAURUS, Tool.NIKOLA})
_MOST_LANGUAGES = 20
_AMPERSAND = re.compile(r"&(?:amp|#0?38);")
_CONTENT = (("src", "content"), ("src", "posts"), ("content",), ("source",))


@dataclass(frozen=True, slots=True, kw_only=True)
class OldAddresses:
    """The addresses of one post on the old site, as absolute paths.

    `main` is the tool's own address, `aliases` are written in the file. `siblings` may have been
    served too, such as the address of the other day when two time zones disagree.
    `earlier` is the address that earlier versions of the importer recorded.
    """

    main: str
    aliases: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    earlier: str = ""


def find_addresses(  # noqa: PLR0913 - the last three are optional facts of the same file
    configuration: SourceConfiguration,
    document: Document,
    meta: Meta,
    path: PurePosixPath,
    *,
    title: str,
    permalink: str = "",
    language: FileLanguage | None = None,
) -> OldAddresses:
    """Find the old addresses of the file at `path`, which is relative to the site's root.

    `permalink` is a pattern that overrules the configuration; the front matter still wins.
    `language` is what the path states of the language.
    """
    earlier = source_urls.source_url(document, meta, path)
    language = language or FileLanguage(path=path)
    is_renamed = bool(configuration.language_pattern and language.name)
    own_path = language.path if is_renamed else path
    page = _page(configuration, document, meta, own_path, title)
    page = replace(page, language=_language_name(configuration, meta, language))
    candidates = list(dict.fromkeys(_candidates(page, document, meta, permalink)))
    is_certain = configuration.files or permalink or "?" in "".join(candidates[:1])
    if candidates and not is_certain:
        candidates.append(earlier)  # a guess: the tool is known by the file alone
    if not candidates:
        page = replace(page, path=_without_content(path))
        candidates = [source_urls.source_url(document, meta, page.path)]
    main = candidates[0]
    aliases = tuple(_aliases(page, meta, main, document))
    if page.other_language and language.path != path:
        plain = source_urls.source_url(document, meta, _without_content(language.path))
        candidates.append(f"/{page.other_language}{plain}")
    candidates += _below_languages(page, main)
    others = dict.fromkeys((*candidates[1:], *_feed_addresses(page)))
    siblings = tuple(address for address in others if address not in (main, *aliases))
    return OldAddresses(main=main, aliases=aliases, siblings=siblings, earlier=earlier)


def _language_name(configuration: SourceConfiguration, meta: Meta, language: FileLanguage) -> str:
    """Return the name by which the old site's addresses may have the language of a file."""
    stated = language.name or meta.language or ""
    names = {name.lower(): name for name in configuration.languages}
    return names.get(stated.lower(), language.name)


def _below_languages(page: Page, main: str) -> Iterator[str]:
    """Yield addresses below the names of languages at which the tool may have served the page.

    A folder of a language becomes the first part of the address in some tools. Others serve a
    page that is not translated below the name of each other language too.
    """
    configuration = page.configuration
    if own := page.other_language:
        rest = re.sub(rf"/{re.escape(own)}(?=/)", "", main, count=1, flags=re.IGNORECASE)
        yield f"/{own}{rest}"
    elif configuration.tool in _UNTRANSLATED:
        default = configuration.default_language.lower()
        others = [name for name in configuration.languages if name.lower() != default]
        yield from (f"/{name}{main}" for name in others[:_MOST_LANGUAGES])


def content_path(configuration: SourceConfiguration, path: PurePosixPath) -> PurePosixPath:
    """Return a path relative to the content folder that it lies in."""
    folders = sorted(configuration.content_folders, key=lambda folder: -len(folder.parts))
    for folder in folders:
        if folder in path.parents:
            return path.relative_to(folder)
    return path


def _without_content(path: PurePosixPath) -> PurePosixPath:
    """Strip the folders in which tools keep content, for a site without a configuration."""
    for parts in _CONTENT:
        if path.parts[: len(parts)] == parts and len(path.parts) > len(parts):
            return PurePosixPath(*path.parts[len(parts) :])
    return path


def _page(
    configuration: SourceConfiguration,
    document: Document,
    meta: Meta,
    path: PurePosixPath,
    title: str,
) -> Page:
    return Page(
        path=path if configuration.tool is Tool.NIKOLA else content_path(configuration, path),
        configuration=configuration,
        values={str(key).lower(): value for key, value in document.values.items()},
        title=title,
        slug=meta.slug or "",
        authors=meta.authors,
        folder_language=find_folder_language(configuration, path),
    )


def _candidates(page: Page, document: Document, meta: Meta, permalink: str) -> Iterator[str]:
    """Yield the tool's addresses, for each day that the post may have had."""
    if address := _query_address(page.value("url", "permalink", "path")):
        yield address
        return
    tool = _tool(page, document)
    find = _FINDERS[tool] if tool else None
    if permalink and not page.value("url", "permalink", "path"):
        find = _by_pattern(permalink)
    if find is None:
        return
    date_value = next((page.values[key] for key in _DATE_KEYS if page.values.get(key)), None)
    in_zone = tool in _IN_ZONE
    choices = list(moments(meta.date, date_value, page.configuration, in_zone=in_zone))
    if not choices:
        yield from map(_clean, find(page))
    for moment in choices:
        yield from map(_clean, find(replace(page, moment=moment)))


def _tool(page: Page, document: Document) -> Tool | None:
    """The tool whose rules apply; without a configuration only posts of Jekyll are certain."""
    configuration = page.configuration
    if configuration.files or configuration.remarks:
        return configuration.tool
    in_posts = "_posts" in page.path.parts[:-1] and date_of_name(page.path.stem)
    if configuration.tool is Tool.HEXO:
        return Tool.HEXO
    if in_posts and source_urls.generator(document, page.path) == "jekyll":
        return Tool.JEKYLL
    return None


def _by_pattern(pattern: str) -> Callable[[Page], Iterator[str]]:
    """Fill a pattern of `--permalink`, whose tokens the tools share."""

    def find(page: Page) -> Iterator[str]:
        address = fill(pattern, lambda name: _shared_token(page, name))
        yield join(address, ending="/" if address.endswith("/") else "")

    return find


def _shared_token(page: Page, name: str) -> str | None:
    slug = page.slug or page.undated_name
    values = {
        "title": slug,
        "slug": slug,
        "name": page.path.stem,
        "filename": page.path.stem,
        "section": next(iter(page.folders), ""),
        "sections": "/".join(page.folders),
    }
    if page.moment is not None:
        values |= date_tokens(page.moment)
    if name in values:
        return values[name]
    return jekyll.token(page, name) or (page.value(name.lower()) or None)


def _clean(address: str) -> str:
    """Squeeze slashes, and drop a query and a host."""
    path = re.sub(r"^\w+://[^/]*", "", address).partition("#")[0].partition("?")[0]
    return re.sub(r"/{2,}", "/", f"/{path}")


def _aliases(page: Page, meta: Meta, main: str, document: Document) -> Iterator[str]:
    """Yield the addresses that the file names: aliases, and keys that its tool does not read."""
    base = "/"
    tool = page.configuration.tool or source_urls.generator(document, page.path)
    if tool in {Tool.HUGO, "hugo"}:
        base = main.rstrip("/").rpartition("/")[0] + "/"
    pairs = [(base, alias) for alias in meta.aliases]
    pairs += [("/", page.value(key)) for key in _ALIAS_KEYS if _is_plain(page.value(key))]
    yielded_addresses = {main}
    for start, alias in pairs:
        address = _join_alias(start, alias)
        if address and address not in yielded_addresses:
            yielded_addresses.add(address)
            yield address


def _feed_addresses(page: Page) -> Iterator[str]:
    """Yield the addresses with a query that WordPress answers: its feed's id holds them."""
    number = page.value("wordpress_id")
    values = [page.value(key) for key in EXPLICIT_KEYS if "://" in page.value(key)]
    for value in (*values, f"/?p={number}" if number.isdecimal() else ""):
        if address := _query_address(value):
            yield address


def _query_address(value: str) -> str:
    """Return the address of a value such as `https://example.com/?p=20`, or an empty text."""
    try:
        address = normal(_AMPERSAND.sub("&", value))
    except ValueError:
        return ""
    return address if "?" in address else ""


def _is_plain(value: str) -> bool:
    """Tell whether a value is an address, and no pattern, template or switch."""
    return (
        bool(value)
        and not re.search(r"[:{}\[\]]", re.sub(r"^https?://", "", value))
        and (value.lower() not in {"true", "false"})
    )


def _join_alias(base: str, alias: str) -> str:
    try:
        parts = urlsplit(urljoin(base, _AMPERSAND.sub("&", alias)))
    except ValueError:
        return ""
    path = re.sub(r"/{2,}", "/", parts.path or "/")
    if parts.query and path.startswith("/"):
        return f"{path}?{parts.query}"
    return path if path.startswith("/") and path != "/" else ""
