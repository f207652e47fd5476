"""Read files of a folder, and never files outside it or files that are not regular."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath


class SourceError(ValueError):
    """A folder that cannot be imported at all, or a file that cannot be read."""


def read_file(root: Path, path: PurePosixPath, *, most: int) -> bytes:
    """Read a regular file of the folder, of `most` bytes; raises `SourceError` for any other."""
    home = resolve_root(root)
    try:
        real = (home / path).resolve(strict=True)
        if not real.is_relative_to(home):
            raise SourceError("leads out of the folder")
        return _read_regular(real, most)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def resolve_root(root: Path) -> Path:
    """Return the real path of a folder that can be read; raises `SourceError`."""
    try:
        home = root.resolve(strict=True)
    except (OSError, RuntimeError):
        raise SourceError(f"{root} does not exist; name a folder of Markdown files") from None
    if not home.is_dir():
        raise SourceError(f"{root} is not a folder; name a folder of Markdown files")
    if not os.access(home, os.R_OK | os.X_OK):
        raise SourceError(f"{root} may not be read; give yourself the right to read it")
    return home


def _read_regular(real: Path, most: int) -> bytes:
    """Read without waiting for a FIFO and without trusting the size that a file announces."""
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - Path.open takes no descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceError("is not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise SourceError(f"is larger than {most // 1024} KiB")
    return data
