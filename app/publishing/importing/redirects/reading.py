"""Find the files of an old site that hold redirects, and read them, each within its limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from app.publishing.importing import file_access
from app.publishing.importing.configuration import SourceConfiguration, Tool
from app.publishing.importing.configuration.files import parse_values
from app.publishing.importing.configuration.javascript import read_objects
from app.publishing.importing.report import Report

from .lines import read_host_lines, read_htaccess
from .model import OldRedirect
from .tables import read_tables

MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 20_000

Reader: TypeAlias = Callable[[str, str], Iterator[OldRedirect]]

_LINES = ("_redirects", "index.redirects")
_TABLES = (
    *("redirects.json", "redirects.yaml", "redirects.yml", "redirects.toml", "vercel.json"),
    *("netlify.toml", "firebase.json", "staticwebapp.config.json"),
)
_SCRIPTS = (
    *(f"docusaurus.config.{suffix}" for suffix in ("js", "ts", "mjs", "cjs", "mts", "cts")),
    *("next.config.js", "next.config.mjs", "next.config.ts"),
    *("gatsby-node.js", "gatsby-node.mjs", "gatsby-node.ts", "redirects.js"),
)
_FOLDERS = ("", "static", "public", "source", "content", "src", "data", "_data", "layouts")
_CONTAINERS = ("", "hosting")
_TABLE_NAMES = ("redirects", "routes")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    file: PurePosixPath
    read: Reader


def read_redirects(configuration: SourceConfiguration, report: Report) -> list[OldRedirect]:
    """Return all redirects of the site's files and of its configuration; a bad file is named."""
    redirects = list(_of_configuration(configuration))
    for source in _find_files(configuration):
        try:
            data = file_access.read_file(configuration.root, source.file, most=MAX_BYTES)
            found = source.read(data.decode("utf-8-sig"), str(source.file))
            redirects += islice(found, MAX_REDIRECTS + 1)
        except UnicodeDecodeError:
            report.warn(source.file, None, "the redirects were not read: the file is not UTF-8")
        except (ValueError, RecursionError, MemoryError) as error:
            reason = " ".join(str(error).split())[:200]
            report.warn(source.file, None, f"the redirects were not read: {reason}")
    if len(redirects) > MAX_REDIRECTS:
        sentence = f"there are more than {MAX_REDIRECTS:,} redirects; the rest is left out"
        report.warn(redirects[MAX_REDIRECTS].file, redirects[MAX_REDIRECTS].line, sentence)
    return redirects[:MAX_REDIRECTS]


def _find_files(configuration: SourceConfiguration) -> Iterator[_Source]:
    folders = dict.fromkeys((*_FOLDERS, *map(str, configuration.static_folders)))
    readers: dict[str, Reader] = dict.fromkeys(_LINES, read_host_lines)
    readers |= {".htaccess": read_htaccess}
    readers |= dict.fromkeys(_TABLES, _read_values)
    readers |= dict.fromkeys(_SCRIPTS, _read_script)
    paths = dict.fromkeys(PurePosixPath(folder, name) for folder in folders for name in readers)
    for path in paths:
        if _is_file(configuration.root / path):
            yield _Source(file=path, read=readers[path.name])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _of_configuration(configuration: SourceConfiguration) -> Iterator[OldRedirect]:
    """Read the redirects that a tool's configuration holds."""
    values, file = configuration.values, str(next(iter(configuration.files), "configuration"))
    if configuration.tool is Tool.NIKOLA:
        yield from read_tables(values.get("REDIRECTIONS", ()), file)
    elif configuration.tool is Tool.HEXO:
        yield from read_tables(values.get("alias", {}), file)
    elif configuration.tool is Tool.ASTRO:
        prefix = "redirects."
        for key, target in values.items():
            if key.startswith(prefix) and isinstance(target, str):
                source, _, field = key.removeprefix(prefix).partition(".destination")
                if not field:
                    yield OldRedirect(source=source, target=target, file=file)


def _read_values(text: str, file: str) -> Iterator[OldRedirect]:
    values = parse_values(file, text)
    for container in _CONTAINERS:
        table: Any = values.get(container) if container and isinstance(values, dict) else values
        if PurePosixPath(file).stem == "redirects" and not container:
            yield from read_tables(table, file)
            continue
        for name in _TABLE_NAMES:
            if isinstance(table, dict) and isinstance(table.get(name), list):
                yield from read_tables(table[name], file)


def _read_script(text: str, file: str) -> Iterator[OldRedirect]:
    """Read the objects of a script that have literals for a source and a target.

    Rewrites of Next have the same shape; only its redirects say whether they are permanent.
    """
    is_next = PurePosixPath(file).name.startswith("next.config")
    for values in read_objects(text):
        if is_next and values.keys().isdisjoint({"permanent", "statusCode"}):
            continue
        yield from read_tables([values], file)
