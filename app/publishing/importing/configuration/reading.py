"""Find the configuration of a folder, in it or in the folders above it, and read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import ModuleType

from . import (
    astro,
    docusaurus,
    eleventy,
    hexo,
    hugo,
    jekyll,
    nikola,
    pelican,
    zola,
)
from . import values as read
from .files import Files
from .model import SourceConfiguration, Tool

_MODULES: dict[Tool, ModuleType] = {
    Tool.DOCUSAURUS: docusaurus,
    Tool.ASTRO: astro,
    Tool.ELEVENTY: eleventy,
    Tool.ZOLA: zola,
    Tool.PELICAN: pelican,
    Tool.HUGO: hugo,
    Tool.HEXO: hexo,
    Tool.JEKYLL: jekyll,
    Tool.NIKOLA: nikola,
}
_LEVELS = 3
"""How far above the folder a configuration is looked for: `src/content/blog`."""

_SHAPES = (
    ("source/_posts", Tool.HEXO),
    ("_posts", Tool.JEKYLL),
    ("src/content", Tool.ASTRO),
    ("archetypes", Tool.HUGO),
)


def detect_tool(root: Path) -> Tool | None:
    """Tell which tool the folder was written for, by its configuration, else by its folders."""
    return read_configuration(root).tool


def read_configuration(root: Path) -> SourceConfiguration:
    """Read the configuration of the site whose root, or whose content folder, is `root`.

    Never raises for what a file holds: a configuration that can't be used gives a remark.
    """
    folder = Path(root).resolve()
    for site_root in (folder, *_parents(folder)):
        tool = _configured_tool(site_root)
        if tool is None:
            continue
        configuration = _read(tool, site_root)
        if site_root == folder or _is_content(configuration, folder):
            return configuration
    return _without_file(folder)


def _parents(folder: Path) -> Iterator[Path]:
    yield from list(folder.parents)[:_LEVELS]


def _configured_tool(site_root: Path) -> Tool | None:
    files = Files(root=site_root)
    try:
        return next((tool for tool, module in _MODULES.items() if module.matches(files)), None)
    except OSError:
        return None


def _read(tool: Tool, site_root: Path) -> SourceConfiguration:
    files = Files(root=site_root)
    configuration: SourceConfiguration = _MODULES[tool].read_configuration(files)
    return replace(configuration, files=tuple(files.read_files), remarks=tuple(files.remarks))


def _is_content(configuration: SourceConfiguration, folder: Path) -> bool:
    """Tell whether the folder is a content folder of the site above it, or lies in one."""
    path = PurePosixPath(folder.relative_to(configuration.root).as_posix())
    if any(part in {"_posts", "_drafts"} for part in path.parts):
        return True
    folders = [part for part in configuration.content_folders if part != PurePosixPath()]
    return any(path == part or part in path.parents for part in folders)


def _without_file(folder: Path) -> SourceConfiguration:
    """Describe a folder that has no configuration: its shape may name the tool."""
    shapes = (tool for name, tool in _SHAPES if (folder / name).is_dir())
    tool = next(shapes, Tool.JEKYLL if folder.name == "_posts" else None)
    content = {Tool.HEXO: "source", Tool.ASTRO: "src/content", Tool.HUGO: "content"}
    name = content.get(tool, ".") if tool else "."
    if not (folder / name).is_dir():
        name = "."
    return SourceConfiguration(
        root=folder,
        tool=tool,
        content_folders=read.folders([name]),
        static_folders=read.existing(folder, ["static", "assets", "public"]),
    )
