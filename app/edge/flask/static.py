"""Serve static files under URLs with a fingerprint of their bytes, which caches never revalidate.

This replaces the view of Flask's `static` endpoint; templates still call
`url_for("static", filename=…)`.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, g, request

from ..dependencies.part import Part
from ..http import codings, validators
from ..policy.decorators import cached
from ..policy.policy import Freshness, Policy
from ..static.manifest import (
    Manifest,
    StaticError,
    StaticFile,
    build_manifest,
    folder_signature,
    has_fingerprint,
)
from .byte_range import apply_range
from .templates import ABSENT, record_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from ..static.build_cache import BuildCache

KIND = "static"
STATIC = Policy(name="STATIC", browser=Freshness(ttl=timedelta(days=365)), immutable=True)
_log = logging.getLogger(__name__)


class StaticFiles:
    """The static files of one app."""

    def __init__(
        self, folder: Path, build_cache: BuildCache, overrides: Sequence[Path] = ()
    ) -> None:
        self._folder = folder
        self._overrides = tuple(overrides)
        self._build_cache = build_cache
        self._lock = threading.Lock()
        self._state: int | None = None  # read in debug mode only
        self._manifest = build_manifest(folder, build_cache, self._overrides)
        self._app: Flask | None = None

    def install(self, app: Flask) -> None:
        """Replace the view of Flask's `static` endpoint, and add fingerprints to its URLs."""
        self._app = app
        app.view_functions["static"] = self.serve
        app.url_defaults(self.add_fingerprint)

    @staticmethod
    def is_installed(app: Flask) -> bool:
        """Return whether this class serves an app's static files."""
        view = app.view_functions.get("static")
        return isinstance(getattr(view, "__self__", None), StaticFiles)

    def manifest(self) -> Manifest:
        """Return the manifest of the folder; in debug mode it is rebuilt when a file changes."""
        # self._app instead of current_app, whose lookup is slower; a page calls this a dozen times.
        if self._app is not None and self._app.debug and not g.get("edge_static_checked"):
            g.edge_static_checked = True
            with self._lock:
                state = folder_signature(self._folder, *self._overrides)
                if state != self._state:
                    self._manifest = build_manifest(
                        self._folder, self._build_cache, self._overrides
                    )
                    self._state = state
        return self._manifest

    def add_fingerprint(self, endpoint: str, values: dict[str, Any]) -> None:
        """Insert the fingerprint before the file's name in a URL that is being built."""
        if endpoint != "static" or "filename" not in values:
            return
        name = values["filename"]
        manifest = self.manifest()
        record_part(_manifest_part(manifest, name))
        try:
            values["filename"] = manifest.fingerprinted_path(name)
        except StaticError:
            if current_app.extensions["edge"].is_strict(current_app):
                raise
            message = "edge.static_missing: there is no static file %s"
            _log.warning(message, name, extra={"static_file": name})

    def has_file(self, name: str) -> bool:
        """Return whether there is a file of this name; the page that asks depends on the answer."""
        manifest = self.manifest()
        record_part(_manifest_part(manifest, name))
        return name in manifest.files

    def part(self, name: str) -> Part:
        """Return the part that a page with the URL of this file depends on."""
        return _manifest_part(self.manifest(), name)

    @cached(STATIC)
    def serve(self, filename: str) -> BaseResponse:
        """Send the file with this fingerprint, redirect to the current one, or answer 404."""
        manifest = self.manifest()
        file = manifest.find_exact(filename)
        if file is not None:
            return _build_response(file)
        if filename in manifest.files:
            return current_app.redirect(current_app.url_for("static", filename=filename))
        is_old_fingerprint = (
            has_fingerprint(filename) and filename.partition("/")[2] in manifest.files
        )
        text = (
            "This version of the file is not here.\n"
            if is_old_fingerprint
            else "There is no such file.\n"
        )
        return Response(text, 404, content_type="text/plain; charset=utf-8")


def has_static_file(name: str) -> bool:
    """Return whether the current app has a static file; the current page depends on the answer."""
    files = getattr(current_app.view_functions.get("static"), "__self__", None)
    return isinstance(files, StaticFiles) and files.has_file(name)


def _manifest_part(manifest: Manifest, name: str) -> Part:
    file = manifest.files.get(name)
    return _part_for(name, file.fingerprint if file else ABSENT)


@lru_cache(maxsize=1024)  # each page refers to about a dozen of the same files
def _part_for(name: str, digest: str) -> Part:
    return Part(kind=KIND, name=name, digest=digest)


def _build_response(file: StaticFile) -> Response:
    coding = "identity"
    if file.codings:
        coding = codings.choose_coding(request.headers.get("Accept-Encoding"), file.codings)
    # Must differ from the ETag of a cache that compresses the file itself: the bytes differ.
    form = "" if coding == "identity" else f"-{coding}"
    tag = validators.ETag(opaque=f"{file.fingerprint}{form}")
    body = file.bodies[coding]
    response = Response(body, content_type=file.media_type)
    response.headers["ETag"] = str(tag)
    response.headers["Accept-Ranges"] = "bytes"
    if file.codings:
        response.vary.add("Accept-Encoding")
    if coding != "identity":
        response.headers["Content-Encoding"] = coding
    apply_range(response, body)
    return response
