"""Cache of build results, such as compressed files, in a folder that all workers share.

The content of a name never changes, so a second start computes nothing again. If the folder is not
writable, this process caches in memory.
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
    """Caches bytes by name; without a `folder` in memory only."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return the cached content of a name; call `make` if it is missing."""
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
            message = "edge.shelf_unwritable: build results are cached in memory only: %s"
            _log.warning(message, error, extra={"error": str(error)})
        return content

    @staticmethod
    def _write_atomically(folder: Path, name: str, content: bytes) -> None:
        """Write a temporary file and rename it, so that readers never see a partial file."""
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
