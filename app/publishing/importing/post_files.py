"""The linked files of one post: read from the folder, checked, made ready to store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from app.publishing.editing import files
from app.publishing.editing.files import PreparedFile
from app.publishing.errors import Invalid

from .file_access import SourceError, read_file


@dataclass(slots=True, kw_only=True)
class PostFiles:
    """The files that a post links to; `errors` says why some are not carried."""

    files: dict[PurePosixPath, PreparedFile] = field(default_factory=dict)
    errors: dict[PurePosixPath, str] = field(default_factory=dict)


def prepare(root: Path, paths: Iterable[PurePosixPath], *, most: int) -> PostFiles:
    """Read and check the files, of at most `most` bytes each; takes no lock."""
    post_files = PostFiles()
    for path in dict.fromkeys(paths):
        try:
            content = read_file(root, path, most=most)
            post_files.files[path] = files.prepare(content, path.name, most=most)
        except (SourceError, Invalid) as error:
            post_files.errors[path] = str(error)
    return post_files
