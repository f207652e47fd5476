"""The files in which other tools describe authors: their names, web addresses and biographies."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from . import source_folder
from .author_names import EMAIL, Person, line_of_text, name_in_table, without_email
from .frontmatter import FrontMatterError, parse_yaml

MAX_FILE = 256 * 1024
MAX_PEOPLE = 2000

_URL_KEYS = ("url", "uri", "website", "homepage", "web")
_BIO_KEYS = ("bio", "description", "about")
_FOLDERS = ("_data", "data", "", "blog")
_ENDINGS = (".yml", ".yaml", ".toml", ".json")


def read_people(root: Path) -> dict[str, Person]:
    """Read the files of authors in the folder, or beside it; the first entry of a key wins."""
    people: dict[str, Person] = {}
    for home in (root, root.absolute().parent):
        for path in _files(home):
            for key, entry in _entries(home, path):
                if isinstance(entry, Mapping) and len(people) < MAX_PEOPLE:
                    people.setdefault(key, _person(key, entry))
    return {key: person for key, person in people.items() if person.name}


def _files(home: Path) -> Iterator[PurePosixPath]:
    for folder in _FOLDERS:
        yield from (PurePosixPath(folder, f"authors{ending}") for ending in _ENDINGS)
    for folder in ("_data/authors", "data/authors"):
        if (home / folder).is_dir():
            names = sorted(path.name for path in (home / folder).iterdir())
            yield from (PurePosixPath(folder, name) for name in names if name.endswith(_ENDINGS))


def _entries(home: Path, path: PurePosixPath) -> Iterator[tuple[str, Any]]:
    """Yield the entries of one file; a file that cannot be read has none."""
    if not (home / path).is_file():
        return
    try:
        text = source_folder.read_file(home, path, most=MAX_FILE).decode()
        read = {".toml": tomllib.loads, ".json": json.loads}.get(path.suffix, parse_yaml)
        values = read(text)
    except (source_folder.SourceError, FrontMatterError, ValueError, RecursionError):
        return
    if path.parent.name == "authors":
        yield path.stem, values
    elif isinstance(values, Mapping):
        yield from ((str(key), value) for key, value in values.items())


def _person(key: str, entry: Mapping[Any, Any]) -> Person:
    values = {str(name).lower(): line_of_text(value) for name, value in entry.items()}
    url = next((values[name] for name in _URL_KEYS if values.get(name)), "")
    bio = next((values[name] for name in _BIO_KEYS if values.get(name)), "")
    return Person(
        name=(name_in_table(entry) or without_email(key))[:200],
        url=url if url.startswith(("http://", "https://")) else "",
        bio="" if EMAIL.search(bio) else bio[:2000],
    )
