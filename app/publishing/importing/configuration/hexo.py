"""Hexo: a `_config.yml` with `source_dir` or `new_post_name`."""

from __future__ import annotations

from . import values as read
from .files import Files
from .hugo import author_name
from .jekyll import HEXO_KEYS, NAMES
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool


def matches(files: Files) -> bool:
    """Tell whether the folder has a `_config.yml` of Hexo."""
    name = files.first(NAMES)
    return name is not None and bool(HEXO_KEYS & Files(root=files.root).read(name).keys())


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the configuration of Hexo."""
    values = files.read(files.first(NAMES) or NAMES[0])
    source = read.text(values, "source_dir") or "source"
    languages = read.texts(values.get("language")) or ("en",)
    pattern = read.text(values, "permalink") or ":year/:month/:day/:title/"
    base = read.text(values, "url").rstrip("/")
    root = read.text(values, "root").strip("/")
    return SourceConfiguration(
        root=files.root,
        tool=Tool.HEXO,
        content_folders=read.folders([source]),
        static_folders=read.folders([source]),
        base_url=base if base.endswith(f"/{root}") else read.join_url(base, root),
        time_zone=read.time_zone(read.text(values, "timezone")),
        default_language=languages[0],
        languages=languages,
        permalinks=(PermalinkRule(pattern=pattern),),
        site=SiteFacts(
            title=read.text(values, "title"),
            tagline=read.text(values, "subtitle"),
            description=read.text(values, "description", "subtitle"),
            language=languages[0],
            author=author_name(values.get("author")),
            menu=tuple(
                (name, url)
                for name, url in read.table(values, "menu").items()
                if isinstance(url, str)
            ),
        ),
        values=values,
    )
