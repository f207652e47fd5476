"""Hugo: `hugo.toml`, `config.yaml` and their kind, and the folder `config/_default`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from . import values as read
from .files import Files
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool

_SUFFIXES = (".toml", ".yaml", ".yml", ".json")
NAMES = tuple(f"{stem}{suffix}" for stem in ("hugo", "config") for suffix in _SUFFIXES)
_MOST_PARTS = 200
_ENVIRONMENTS = ("config/_default", "config/production")
_PARTS = frozenset(
    {
        *("caches", "cascade", "frontmatter", "hugo", "config", "imaging", "languages", "markup"),
        *("mediatypes", "menu", "menus", "minify", "module", "outputformats", "outputs"),
        *("params", "permalinks", "privacy", "related", "security", "server", "services"),
        *("sitemap", "taxonomies"),
    }
)


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Hugo."""
    if any(_parts(files, environment) for environment in _ENVIRONMENTS):
        return True
    name = files.first(NAMES)
    if name is None:
        return False
    return name.startswith("hugo.") or "base_url" not in _lower(Files(root=files.root).read(name))


def read_configuration(files: Files) -> SourceConfiguration:
    """Read all configuration files; later ones add to and overrule earlier ones."""
    values: dict[str, Any] = {}
    name = files.first(NAMES)
    if name is not None:
        _merge(values, _lower(files.read(name)))
    for environment in _ENVIRONMENTS:
        for part in _parts(files, environment):
            _merge(values, _nest(part, _lower(files.read(f"{environment}/{part}"))))
    languages = _languages(values)
    default = read.text(values, "defaultcontentlanguage") or next(iter(languages), "en")
    return SourceConfiguration(
        root=files.root,
        tool=Tool.HUGO,
        content_folders=read.folders(_content_folders(values, languages)),
        static_folders=read.existing(files.root, _static_folders(values)),
        base_url=read.text(values, "baseurl"),
        time_zone=read.time_zone(read.text(values, "timezone")),
        default_language=default,
        languages=tuple(languages) or (default,),
        language_tags={
            name: read.text(options, "locale", "languagecode")
            for name, options in languages.items()
        },
        language_folders=tuple(_language_folders(values, languages)),
        permalinks=tuple(_permalinks(values.get("permalinks"))),
        site=_site(values, languages.get(default.lower(), {}), default),
        values=values,
    )


def _parts(files: Files, environment: str) -> list[str]:
    folder = files.root / environment
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    del names[_MOST_PARTS:]
    order = [name for name in names if name.split(".")[0].lower() in _PARTS]
    return sorted(order, key=lambda name: name.split(".")[0] not in {"hugo", "config"})


def _nest(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `menus.en.toml` nested as in a single file."""
    stem, _, language = PurePosixPath(name).stem.lower().partition(".")
    if stem in {"hugo", "config"}:
        return values
    inner = values[stem] if set(values) == {stem} else values
    return {"languages": {language: {stem: inner}}} if language else {stem: inner}


def _lower(values: Any) -> Any:
    """Hugo ignores the case of keys."""
    if isinstance(values, dict):
        return {str(key).lower(): _lower(value) for key, value in values.items()}
    return [_lower(value) for value in values] if isinstance(values, list) else values


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _languages(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the languages that are not disabled, in the order of their weights."""
    disabled = {name.lower() for name in read.texts(values.get("disablelanguages"))}
    tables = [
        (name, options)
        for name, options in read.table(values, "languages").items()
        if isinstance(options, dict)
        and name not in disabled
        and not read.is_true(options.get("disabled"))
    ]
    tables.sort(key=lambda pair: pair[1]["weight"] if isinstance(pair[1].get("weight"), int) else 0)
    return dict(tables)


def _content_folders(values: dict[str, Any], languages: dict[str, dict[str, Any]]) -> Iterator[str]:
    mounts = read.table(values, "module").get("mounts")
    for mount in mounts if isinstance(mounts, list) else ():
        if isinstance(mount, dict) and str(mount.get("target", "")).split("/")[0] == "content":
            yield str(mount.get("source", ""))
    for options in languages.values():
        if folder := read.text(options, "contentdir"):
            yield folder
    yield read.text(values, "contentdir") or "content"


def _language_folders(
    values: dict[str, Any], languages: dict[str, dict[str, Any]]
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield each content folder that holds one language, with the name of the language."""
    mounts = read.table(values, "module").get("mounts")
    for mount in mounts if isinstance(mounts, list) else ():
        if isinstance(mount, dict) and (language := read.text(mount, "lang")):
            yield from ((folder, language) for folder in read.folders([read.text(mount, "source")]))
    for name, options in languages.items():
        if folder := read.text(options, "contentdir"):
            yield from ((path, name) for path in read.folders([folder]))


def _static_folders(values: dict[str, Any]) -> Iterator[str]:
    keys = ("staticdir", *(f"staticdir{number}" for number in range(11)))
    names = [name for key in keys for name in read.texts(values.get(key))]
    yield from names or ["static"]
    yield "assets"


def _permalinks(rules: Any) -> Iterator[PermalinkRule]:
    """Accept `{posts: p}`, `{page: {posts: p}}` and a list of targets with patterns."""
    if isinstance(rules, list):
        yield from _targets(rule for rule in rules if isinstance(rule, dict))
    elif isinstance(rules, dict):
        for section, pattern in (read.table(rules, "page") | rules).items():
            if isinstance(pattern, str):
                yield PermalinkRule(pattern=pattern, scope=section.strip("/"))


def _targets(rules: Iterable[dict[str, Any]]) -> Iterator[PermalinkRule]:
    for rule in rules:
        target = read.table(rule, "target")
        pattern = read.text(rule, "pattern")
        if pattern and read.text(target, "kind") in {"", "page"}:
            scope = read.text(target, "path").strip("/").removesuffix("**").strip("/")
            yield PermalinkRule(pattern=pattern, scope=scope)


def _site(values: dict[str, Any], options: dict[str, Any], language: str) -> SiteFacts:
    """Read the site's own facts; those of the default language win."""
    params = read.table(values, "params") | read.table(options, "params")
    author = params.get("author") or values.get("author")
    menus = read.table(options, "menus") or read.table(options, "menu")
    menus = menus or read.table(values, "menus") or read.table(values, "menu")
    return SiteFacts(
        title=read.text(options, "title") or read.text(values, "title"),
        tagline=read.text(params, "tagline", "subtitle", "slogan"),
        description=read.text(params, "description", "subtitle"),
        language=read.text(options, "locale", "languagecode")
        or read.text(values, "locale", "languagecode")
        or language,
        author=author_name(author),
        menu=read.menu(menus.get("main"), ("name", "identifier"), ("pageref", "url")),
    )


def author_name(author: Any) -> str:
    """Return the name of an author that is written as a text or as a table; never the e-mail."""
    if isinstance(author, list) and author:
        author = author[0]
    if isinstance(author, dict):
        return read.text(author, "name", "display_name", "title")
    name = author.strip() if isinstance(author, str) else ""
    return "" if "@" in name and " " not in name else name
