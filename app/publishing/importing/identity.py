"""Which post a file became at an earlier import: by its path, its address, or its text.

A path identifies a file only within its own site. Another folder is the same site when most of
its recorded files have the same text, or the same address, under the same path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import Imported


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the folder, as far as it can be recognised."""

    path: PurePosixPath
    source: str
    earlier_source: str
    body_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of an earlier import."""

    id: int
    source: str
    digest: str
    post_id: int
    path: str | None
    folder: str | None
    body_digest: str | None


def load_records(session: Session) -> list[Record]:
    """Read the records of all earlier imports."""
    columns = (
        *(Imported.id, Imported.source, Imported.digest, Imported.post_id),
        *(Imported.path, Imported.folder, Imported.body_digest),
    )
    rows = session.execute(sa.select(*columns).order_by(Imported.id))
    return [Record(**row) for row in rows.mappings()]


class Matching:
    """The records of the files of one folder; a record belongs to one file at most."""

    def __init__(self, files: Iterable[File], records: Iterable[Record], folder: str) -> None:
        """Match the files: by path, then by address, then by a text that only one file has."""
        self._files = {str(file.path): file for file in files}
        self._records = list(records)
        self._folders = _folders_of_site(self._files, self._records, folder)
        self._by_file: dict[str, Record] = {}
        self._match_paths()
        self._match_sources()
        self._match_texts()

    def of(self, path: PurePosixPath) -> Record | None:
        """Return the record of a file."""
        return self._by_file.get(str(path))

    def missing(self, below: PurePosixPath) -> Iterator[Record]:
        """Yield the records of this site whose files are gone from the folder `below`."""
        matched_ids = {record.id for record in self._by_file.values()}
        for record in self._records:
            if record.path is None or record.id in matched_ids:
                continue
            if record.folder not in self._folders:
                continue
            if below == PurePosixPath() or below in PurePosixPath(record.path).parents:
                yield record

    def _match_paths(self) -> None:
        by_path = {
            record.path: record
            for record in self._records
            if record.path in self._files and record.folder in self._folders
        }
        for path, record in by_path.items():
            if path is not None:
                self._by_file[path] = record
        self._exchange()

    def _exchange(self) -> None:
        """Files that exchanged their addresses keep to the address: both posts stay in place."""
        owners = {record.source: path for path, record in self._by_file.items()}
        by_source = {record.source: record for record in self._by_file.values()}
        following = {
            path: owners[self._files[path].source]
            for path, record in self._by_file.items()
            if record.source != self._files[path].source and self._files[path].source in owners
        }
        for cycle in _cycles(following):
            for path in cycle:
                self._by_file[path] = by_source[self._files[path].source]

    def _match_sources(self) -> None:
        """Match what has no path yet, and files that moved but kept their address."""
        free = {record.source: record for record in self._unmatched()}
        for path, file in self._files.items():
            for source in (file.source, file.earlier_source):
                if path not in self._by_file and source in free:
                    self._by_file[path] = free.pop(source)

    def _match_texts(self) -> None:
        """Match a new path by its text, when one file that is gone and one new file have it."""
        free = [r for r in self._unmatched() if r.body_digest and r.folder in self._folders]
        new_files = [file for path, file in self._files.items() if path not in self._by_file]
        records_by_text = {record.body_digest: record for record in free}
        counts = Counter(record.body_digest for record in free)
        file_counts = Counter(file.body_digest for file in new_files)
        for file in new_files:
            if counts[file.body_digest] == file_counts[file.body_digest] == 1:
                self._by_file[str(file.path)] = records_by_text[file.body_digest]

    def _unmatched(self) -> Iterator[Record]:
        matched_ids = {record.id for record in self._by_file.values()}
        return (record for record in self._records if record.id not in matched_ids)


def _folders_of_site(files: dict[str, File], records: list[Record], folder: str) -> set[str]:
    """Return this folder and those in which the same site lay at earlier imports."""
    all_files: Counter[str] = Counter()
    same_files: Counter[str] = Counter()
    for record in records:
        if record.path is None or record.folder is None:
            continue
        all_files[record.folder] += 1
        file = files.get(record.path)
        if file and (record.body_digest == file.body_digest or record.source == file.source):
            same_files[record.folder] += 1
    return {folder} | {
        name for name, count in same_files.items() if 2 * count >= min(all_files[name], len(files))
    }


def _cycles(following: dict[str, str]) -> Iterator[list[str]]:
    """Yield the closed circles of a mapping."""
    visited: set[str] = set()
    for start in following:
        trail: list[str] = []
        node: str | None = start
        while node is not None and node not in visited:
            visited.add(node)
            trail.append(node)
            node = following.get(node)
        if node in trail:
            yield trail[trail.index(node) :]
