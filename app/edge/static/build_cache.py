"""Shelf: bytes that are costly to make, kept by name in a folder that all workers share.

A name stands for its content for good, so that a second start makes nothing again. Where the
folder can't be written, this process keeps them in memory.
"""

from __future__ import annotations

import logging
import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)


class BuildCache:
    """Made bytes by name; `folder` None keeps them in memory alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what stands under the name, made now if nobody has made it yet."""
        content = self._memory.get(name)
        if content is None:
            content = self._memory[name] = self._from_folder(name, make)
        return content

    def _from_folder(self, name: str, make: Callable[[], bytes]) -> bytes:
        if self._folder is None:
            return make()
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            content = make()
        try:
            self._write_atomically(self._folder, name, content)
        except OSError as error:
            self._folder = None
            _log.warning("edge.shelf_unwritable", extra={"error": str(error)})
        return content

    @staticmethod
    def _write_atomically(folder: Path, name: str, content: bytes) -> None:
        """Write under another name and move it, so that nobody ever reads half a file."""
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, folder / name)  # noqa: PTH105 - the draft's name is a string
        except OSError:
            os.unlink(draft)  # noqa: PTH108 - as above
            raise
