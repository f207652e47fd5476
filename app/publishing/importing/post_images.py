"""The images of one post: read from the folder, counted into its digest, made ready to store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from sqlalchemy.orm import Session

from app.publishing import text
from app.publishing.editing import images
from app.publishing.editing.rendering import image_of
from app.publishing.errors import Invalid
from app.publishing.images import MAX_BYTES

from . import source_folder

VERSION = b"1"
"""Raised when a newer importer makes something else of the same file."""


@dataclass(slots=True, kw_only=True)
class Pictures:
    """The images that a post shows, by their files; `wrong` says why some can't be shown."""

    shown: dict[PurePosixPath, text.Image] = field(default_factory=dict)
    new: dict[PurePosixPath, images.Prepared] = field(default_factory=dict)
    digests: dict[PurePosixPath, str] = field(default_factory=dict)
    wrong: dict[PurePosixPath, str] = field(default_factory=dict)


def digest_of(
    root: Path, own: str, images: Mapping[str, PurePosixPath], words: Iterable[str]
) -> str:
    """SHA-256 of a file's own digest, its images and whatever else decides what becomes of it."""
    total = sha256(VERSION + b"\n" + "\n".join((own, *words)).encode())
    for target, file in sorted(images.items()):
        try:
            content = sha256(source_folder.read(root, file, most=MAX_BYTES)).hexdigest()
        except source_folder.SourceError as error:
            content = str(error)
        total.update(f"\n{target}\n{file}\n{content}".encode())
    return total.hexdigest()


def prepare(session: Session, root: Path, files: Iterable[PurePosixPath]) -> Pictures:
    """Read, check and scale what is not stored yet; takes no lock."""
    pictures = Pictures()
    for file in dict.fromkeys(files):
        try:
            _prepare(session, source_folder.read(root, file, most=MAX_BYTES), file, pictures)
        except (source_folder.SourceError, Invalid) as error:
            pictures.wrong[file] = str(error)
    return pictures


def _prepare(session: Session, content: bytes, file: PurePosixPath, into: Pictures) -> None:
    into.digests[file] = sha256(content).hexdigest()
    known = images.find_media(session, into.digests[file])
    if known is not None:
        into.shown[file] = image_of(known.files)
        return
    into.new[file] = images.prepare(content, file.name)
    into.shown[file] = images.image_of(into.new[file])


def by_reference(
    images: Mapping[str, PurePosixPath], shown: Mapping[PurePosixPath, text.Image]
) -> dict[str, text.Image]:
    """What each reference shows, as it is written and as a file system would spell it."""
    found = {target: shown[file] for target, file in images.items() if file in shown}
    return {unquote(target): image for target, image in found.items()} | found
