"""The library of images: list, search, upload.

Scaling an image takes seconds of CPU, so a process works on one upload at a time; another one gets
503 and can be repeated. The request that is too large gets 413 while it is received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from threading import Lock

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.errors import Conflict, Invalid
from app.publishing.images import MAX_BYTES
from app.publishing.models import Media
from app.publishing.queries import media_library

from .errors import wants_json
from .guard import current_actor, now

bp = Blueprint("media", __name__)

ACCEPT = "image/jpeg,image/png,image/webp,image/avif,image/gif"
"""The types that a file input offers: with them, an iPhone converts its HEIC photos to JPEG."""

ALT_TEXT = "Describe this image"
"""The words in the Markdown that the writer replaces; the editor selects them."""

_BUSY_SECONDS = 2
_slot = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image that was uploaded, as the response describes it."""

    id: int
    name: str
    address: str
    width: int
    height: int
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A file that was not stored, and why."""

    name: str
    message: str


@bp.get("/media")
def index() -> ResponseReturnValue:
    """List the images with the posts that show them."""
    return _render_library()


def _render_library(
    *,
    refusals: Sequence[RefusedFile] = (),
    images: Sequence[StoredImage] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    words = request.args.get("q", "")[:200]
    number = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    page = render_template(
        "studio/media/index.html",
        page=media_library.load_page(words, number, current_actor()),
        words=words,
        number=number,
        accept=ACCEPT,
        alt_text=ALT_TEXT,
        refusals=refusals,
        images=images,
        image_count=len(images) or request.args.get("stored", 0, type=int),
    )
    return make_response(page, status)


@bp.post("/media")
def upload() -> ResponseReturnValue:
    """Store the images of a form; each file that is refused is named with the reason."""
    images: list[StoredImage] = []
    refusals: list[RefusedFile] = []
    with hold_slot():
        for file in _read_files():
            try:
                images.append(_store(file))
            except (Invalid, Conflict) as error:
                refusals.append(RefusedFile(name=file.filename or "", message=str(error)))
    return _answer_script(images, refusals) if wants_json() else _answer_form(images, refusals)


@contextmanager
def hold_slot() -> Iterator[None]:
    """Hold the process's slot for uploads; raises ServiceUnavailable instead of waiting."""
    if not _slot.acquire(blocking=False):
        raise ServiceUnavailable(
            "Another image is being prepared. Send yours again in a few seconds.",
            retry_after=_BUSY_SECONDS,
        )
    try:
        yield
    finally:
        _slot.release()


def _read_files() -> list[FileStorage]:
    """Return the files of the form; raises Invalid if there is none."""
    files = [file for file in request.files.getlist("files") if file.filename]
    if not files:
        raise Invalid("files", "The form has no file. Choose one or more images.")
    return files


def _store(file: FileStorage) -> StoredImage:
    content = file.stream.read(MAX_BYTES + 1)
    media = actions.add_media(content, file.filename or "", now=now(), actor=current_actor())
    return _describe(media)


def _describe(media: Media) -> StoredImage:
    address = next(row.path for row in media.files if row.original)
    return StoredImage(
        id=media.id,
        name=media.name,
        address=address,
        width=media.width,
        height=media.height,
        markdown=f"![{ALT_TEXT}]({address})",
    )


def _answer_script(
    images: Sequence[StoredImage], refusals: Sequence[RefusedFile]
) -> ResponseReturnValue:
    """Return the stored images and the refused files; 201 if no file is refused."""
    body = {
        "images": [asdict(image) for image in images],
        "refused": [asdict(file) for file in refusals],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusals else HTTPStatus.CREATED
    return jsonify(body), status


def _answer_form(
    images: Sequence[StoredImage], refusals: Sequence[RefusedFile]
) -> ResponseReturnValue:
    if refusals:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _render_library(refusals=refusals, images=images, status=status)
    return redirect(url_for("studio.media.index", stored=len(images)), HTTPStatus.SEE_OTHER)
