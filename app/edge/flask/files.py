"""Record files that a shared page opens: in strict mode a finding, since changes are not tracked.

Python calls audit hooks for every opened file. A hook can't be removed, so it is installed only in
strict processes, and it does nothing unless a page is being recorded.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ..dependencies.current_record import current_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from ..dependencies.recorder import RenderRecord

_LIBRARY = __name__.rpartition(".flask")[0]
_MAX_FRAMES = 60
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_SERVER = ("flask.app", "flask.sansio")
"""Modules that call a view; files that they open are not opened by a view."""
_NO_VIEWS = ("flask", "werkzeug", "io", "os", "pathlib", "codecs", "tempfile", "shutil")
_LOADERS = (
    *(
        "importlib",
        "jinja2.loaders",
        "jinja2.bccache",
        "jinja2.utils",
        "zoneinfo",
        "logging",
        "linecache",
    ),
    *("traceback", "inspect", "pkgutil", "gettext", "babel", "mimetypes", "encodings", "runpy"),
    *("sqlalchemy", "psycopg", "sqlite3", "ssl", "socket", "certifi", "threading", _LIBRARY),
)
"""Modules that open files of the program itself, such as sources, zones and certificates."""

_SYSTEM = tuple(
    f"{folder.rstrip('/')}/"
    for folder in (
        sys.prefix,
        sys.base_prefix,
        "/usr/share",
        "/etc",
        "/proc",
        "/sys",
        "/dev/fd",
        "/dev/pts",
    )
)
"""Folders of installed software, such as the interpreter and time zones.

`/dev/shm` holds files of apps; the devices below are no page's content either.
"""
_DEVICES = frozenset({"/dev/null", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/zero"})

_installed = False


def watch_files(record: RenderRecord) -> None:
    """Record the files that are opened for a response from now on."""
    global _installed  # noqa: PLW0603 - an audit hook can't be removed
    record.notes_files = True
    if not _installed:
        _installed = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event != "open":
        return
    record = current_record()
    if record is None or not record.notes_files:
        return
    record.notes_files = False  # files that this check opens are not the page's
    try:
        path, mode, flags = args
        if not isinstance(path, str | os.PathLike):
            return
        path = os.path.abspath(path)  # noqa: PTH100 - the cheap way
        is_of_system = path.startswith(_SYSTEM) or path in _DEVICES
        if not is_of_system and _is_read(mode, flags) and _is_opened_by_a_view():
            record.read_unseen(f"it opened the file {path}, whose changes are not seen")
    except Exception:  # noqa: BLE001, S110 - an audit hook that raises would prevent the opening
        pass
    finally:
        record.notes_files = True


_audit.__cantrace__ = True  # type: ignore[attr-defined]  # a debugger or coverage may trace it


def _is_read(mode: str | None, flags: int | None) -> bool:
    if mode is not None:
        return not set(mode) & set("wax+")
    return not (flags or 0) & _WRITES


def _is_opened_by_a_view() -> bool:
    """Return whether code of the application opened the file, called by Flask."""
    for name in _callers():
        if name.startswith(_SERVER):
            return False
        if _is_of(name, _LOADERS):
            return False
        if not _is_of(name, _NO_VIEWS):
            return True
    return False


def _callers() -> Iterator[str]:
    """Yield the names of the calling modules, the innermost first."""
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001 - needed to identify the caller
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back


def _is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
