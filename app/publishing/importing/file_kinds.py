"""What a file is by its place and name: a post, a draft, or a file that its tool never published.

Pure: paths in, reasons out. Paths are relative to the folder that is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from .configuration import Tool
from .publication.state import Reason, State

_DRAFT_FOLDERS = frozenset({"_drafts", "drafts"})
_UNCLEAR_FOLDERS = frozenset({"unpublished", "private", "templates"})
_PROJECT_FILES = frozenset(
    {"readme", "license", "licence", "contributing", "changelog", "code_of_conduct", "security"}
    | {"agents", "claude", "authors", "notice", "maintainers"}
)
_ROOT_FOLDERS = {
    None: frozenset({"_site", "node_modules", "resources", "themes", "archetypes", "layouts"}),
    Tool.HUGO: frozenset(
        {"archetypes", "layouts", "themes", "resources", "public", "data", "i18n", "node_modules"}
    ),
    Tool.ZOLA: frozenset({"templates", "themes", "sass", "public", "node_modules"}),
    Tool.JEKYLL: frozenset({"_site", "node_modules", "vendor"}),
}
_WITHOUT_UNDERSCORES = frozenset({Tool.JEKYLL, Tool.HEXO, Tool.DOCUSAURUS})
_POST_FOLDERS = frozenset({"_posts", "_drafts"})
_TRANSLATIONS = PurePosixPath("_i18n")
"""Jekyll's folder with a folder for each language (jekyll-multiple-languages)."""
_DATED = re.compile(r"\d{2,4}-\d{1,2}-\d{1,2}-.")
_TEST_FILE = re.compile(r"\.test\.\w+\Z")


def is_project_file(path: PurePosixPath) -> bool:
    """Whether a file is README, LICENSE or one of their kind, by its name."""
    return path.stem.lower() in _PROJECT_FILES and bool(path.suffix)


def find_skip_reason(path: PurePosixPath, tool: Tool | None) -> str | None:
    """Say why a file is no post in its tool; None for one that may be a post."""
    name = path.name
    if len(path.parts) == 1 and is_project_file(path):
        return "describes the project, and is no post"
    if path.stem.partition(".")[0] == "_index":
        return "is the page of a section; sections are made from topics here"
    if _TRANSLATIONS in path.parents and _POST_FOLDERS.isdisjoint(path.parts):
        return "is a text that other pages include, and no post"
    if name.startswith((".", "#", "~")) or name.endswith("~"):
        return "has the name of a temporary file"
    is_test = tool is Tool.DOCUSAURUS and _TEST_FILE.search(name)
    if is_test or (name.startswith("_") and tool in _WITHOUT_UNDERSCORES):
        return f"is not read by {tool}"
    return None


def is_passed_over(path: PurePosixPath, tool: Tool | None) -> bool:
    """Whether a folder holds no posts: those of the tool at the root, and private ones anywhere."""
    if len(path.parts) == 1 and path.name in _ROOT_FOLDERS.get(tool, _ROOT_FOLDERS[None]):
        return True
    if path == _TRANSLATIONS:
        return tool not in {Tool.JEKYLL, None}
    return path.name.startswith("_") and path.name not in _POST_FOLDERS


def find_reasons(
    path: PurePosixPath, tool: Tool | None, *, in_bundle: bool = False
) -> Iterator[Reason]:
    """Yield the reasons of the place for which a post is a draft; `in_bundle`: of Hugo."""
    folders = [part.lower() for part in path.parts[:-1]]
    if not _DRAFT_FOLDERS.isdisjoint(folders):
        yield Reason(key="folder", state=State.DRAFT)
    for folder in sorted(_UNCLEAR_FOLDERS.intersection(folders)):
        sentence = f"is a draft, because it lies in a folder {folder}"
        yield Reason(key="folder", state=State.DRAFT, sentence=sentence)
    if "_posts" in folders and tool in {Tool.JEKYLL, None} and not _DATED.match(path.name):
        sentence = "is a draft: Jekyll publishes no file of _posts without a date in its name"
        yield Reason(key="folder", state=State.DRAFT, sentence=sentence)
    if tool is Tool.HUGO and in_bundle:
        sentence = "is a draft: beside or below index.md, Hugo makes no page of it"
        yield Reason(key="folder", state=State.DRAFT, sentence=sentence)
    if tool is Tool.ASTRO and path.name.startswith("_"):
        sentence = "is a draft: Astro makes no page of a name that begins with _"
        yield Reason(key="folder", state=State.DRAFT, sentence=sentence)
