"""Docusaurus: the literals of `docusaurus.config.js` or `.ts`."""

from __future__ import annotations

from collections.abc import Iterator

from . import javascript
from . import values as read
from .files import Files
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool

_NAMES = tuple(f"docusaurus.config.{suffix}" for suffix in ("js", "ts", "mjs", "cjs", "mts", "cts"))


def _menu(source: str) -> Iterator[tuple[str, str]]:
    """Yield the names and addresses of `themeConfig.navbar.items`, and of its menus below."""
    for names, item in javascript.read_objects_in_place(source):
        if "navbar" in names and "items" in names:
            name, url = read.text(item, "label"), read.text(item, "to", "href")
            if name and url:
                yield name, url


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Docusaurus."""
    return files.first(_NAMES) is not None


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the literals of the configuration of Docusaurus."""
    values = files.read(files.first(_NAMES) or _NAMES[0])
    last = {key.rpartition("blog.")[2]: key for key in values if "blog." in f".{key}"}
    blog = {name: values[key] for name, key in last.items()}
    language = read.text(values, "i18n.defaultLocale") or "en"
    locales = next((values[key] for key in values if key.endswith("i18n.locales")), ())
    languages = read.texts(locales) or (language,)
    name = read.text(blog, "path") or "blog"
    by_folder = {f"i18n/{locale}/docusaurus-plugin-content-blog": locale for locale in languages}
    translated = read.existing(files.root, by_folder)
    route = read.text(blog, "routeBasePath") or "blog"
    return SourceConfiguration(
        root=files.root,
        tool=Tool.DOCUSAURUS,
        content_folders=(*read.folders([name]), *translated),
        static_folders=read.existing(files.root, ["static"]),
        base_url=read.join_url(read.text(values, "url"), read.text(values, "baseUrl")),
        default_language=language,
        languages=languages,
        language_folders=tuple((folder, by_folder[str(folder)]) for folder in translated),
        permalinks=(PermalinkRule(pattern=route.strip("/"), scope="blog"),),
        site=SiteFacts(
            title=read.text(values, "title"),
            tagline=read.text(values, "tagline"),
            description=read.text(values, "tagline"),
            language=language,
            menu=tuple(_menu(files.read_text(files.first(_NAMES) or _NAMES[0]))),
        ),
        values=values,
    )
