"""The images of one post: read from the folder, counted into its digest, made ready to store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from sqlalchemy.orm import Session

from app.publishing import text
from app.publishing.editing import images
from app.publishing.editing.images import PreparedImage
from app.publishing.editing.rendering import image_of
from app.publishing.errors import Invalid
from app.publishing.images import MAX_BYTES, CleanImage

from . import source_folder

VERSION = b"3"
"""Increment it when the importer converts the same file differently."""

Scale = Callable[[CleanImage, str], PreparedImage]
"""Checks an image and makes its smaller copies; raises Invalid."""


@dataclass(slots=True, kw_only=True)
class PostImages:
    """The images that a post shows, by their files; `errors` says why some can't be images."""

    images: dict[PurePosixPath, text.Image] = field(default_factory=dict)
    new_images: dict[PurePosixPath, PreparedImage] = field(default_factory=dict)
    digests: dict[PurePosixPath, str] = field(default_factory=dict)
    errors: dict[PurePosixPath, str] = field(default_factory=dict)


def digest_of(
    root: Path, own: str, files: Mapping[str, PurePosixPath], words: Iterable[str], *, most: int
) -> str:
    """Return the SHA-256 of a file's digest, its images and files, and its other inputs.

    `most` is the largest number of bytes that is read of an image or file.
    """
    total = sha256(VERSION + b"\n" + "\n".join((own, *words)).encode())
    for target, file in sorted(files.items()):
        try:
            content = sha256(source_folder.read_file(root, file, most=most)).hexdigest()
        except source_folder.SourceError as error:
            content = str(error)
        total.update(f"\n{target}\n{file}\n{content}".encode())
    return total.hexdigest()


def prepare(
    session: Session,
    root: Path,
    files: Iterable[PurePosixPath],
    *,
    scale: Scale = images.prepare,
) -> PostImages:
    """Read, check and scale what is not stored yet; takes no lock."""
    post_images = PostImages()
    for file in dict.fromkeys(files):
        try:
            content = source_folder.read_file(root, file, most=MAX_BYTES)
            _prepare(session, images.remove_metadata(content), file, post_images, scale)
        except (source_folder.SourceError, Invalid) as error:
            post_images.errors[file] = str(error)
    return post_images


def _prepare(
    session: Session, clean: CleanImage, file: PurePosixPath, into: PostImages, scale: Scale
) -> None:
    into.digests[file] = sha256(clean).hexdigest()
    existing = images.find_media(session, into.digests[file])
    if existing is not None:
        into.images[file] = image_of(existing.files)
        return
    session.rollback()  # no transaction stays open while the image is scaled
    into.new_images[file] = scale(clean, file.name)
    into.images[file] = images.image_of(into.new_images[file])


def by_reference(
    files: Mapping[str, PurePosixPath], images_by_file: Mapping[PurePosixPath, text.Image]
) -> dict[str, text.Image]:
    """What each reference shows, as it is written and as a file system would spell it."""
    images = {
        target: images_by_file[file] for target, file in files.items() if file in images_by_file
    }
    return {unquote(target): image for target, image in images.items()} | images
