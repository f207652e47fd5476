"""Find the line of the app, or of its template, at which a response read private or unknown data.

Used in strict mode and by `flask edge adopt` only, because walking the stack takes time.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_LIBRARY = Path(__file__).resolve().parents[1]
_STANDARD = tuple(Path(sysconfig.get_paths()[name]).resolve() for name in ("stdlib", "platstdlib"))
_PACKAGE_FOLDERS = {"site-packages", "dist-packages"}
_CONTEXT_PROCESSORS = "update_template_context"
"""The method of Flask that calls context processors."""


class ReadPlaces:
    """The first place of each read of one request; its key is the guard's code or the reason.

    A place looks like `app/views.py:12` or `app/templates/base.html:17`.
    """

    __slots__ = ("_places", "_root")

    def __init__(self, root: str) -> None:
        self._root = Path(root).resolve()
        self._places: dict[str, str] = {}

    def add(self, key: str) -> None:
        """Record the place of the caller, unless this read has a place."""
        if key not in self._places:
            self._places[key] = _describe(_frames(sys._getframe(1)), self._root)  # noqa: SLF001 - the stack is needed

    def __contains__(self, key: str) -> bool:
        """Return whether the read occurred."""
        return key in self._places

    def remove(self, key: str) -> None:
        """Remove a read that turned out to be harmless."""
        self._places.pop(key, None)

    def get(self, key: str) -> str:
        """Return the place of a read; empty if it is unknown."""
        return self._places.get(key, "")


def locate_error(error: BaseException, root: str) -> str:
    """Return the innermost place in the app at which an exception was raised."""
    frames = list(_traceback_frames(error.__traceback__))
    return _describe(reversed(frames), Path(root).resolve())


def describe_file(filename: str, line: int, root: str) -> str:
    """Return `file:line`, relative to the working directory or to the app's folder."""
    return f"{_relative(Path(filename).resolve(), Path(root).resolve())}:{line}"


def is_app_file(filename: str, root: str) -> bool:
    """Return whether a file belongs to the app: neither this library nor installed software."""
    return _is_app_file(Path(filename), Path(root).resolve())


def _frames(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back


def _traceback_frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _describe(frames: Iterator[tuple[FrameType, int]], root: Path) -> str:
    """Return the place of the innermost frame that belongs to the app or to a template."""
    package = ""
    for frame, line in frames:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return _template_line(template, line, root)
        path = Path(frame.f_code.co_filename)
        if _is_app_file(path, root):
            return f"{_relative(path.resolve(), root)}:{line}{_by_extension(package)}"
        if frame.f_code.co_name == _CONTEXT_PROCESSORS and package:
            package = f"{package}!"
        elif not package.endswith("!"):
            package = _extension(frame, path) or package
    return ""


def _by_extension(package: str) -> str:
    """Say which extension's context processor read it, since the app's line only renders."""
    return f" (by a context processor of {package[:-1]})" if package.endswith("!") else ""


def _extension(frame: FrameType, path: Path) -> str:
    """Return the package of an extension's frame; empty for Flask and what it is made of."""
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    is_installed = bool(_PACKAGE_FOLDERS & set(path.parts))
    return name if is_installed and name not in {"flask", "jinja2", "werkzeug"} else ""


def _template_line(template: Any, line: int, root: Path) -> str:
    number = template.get_corresponding_lineno(line)
    filename = template.filename
    if filename and filename != "<template>":
        return f"{_relative(Path(filename).resolve(), root)}:{number}"
    return f"{template.name or 'a template from a string'}:{number}"


@lru_cache(maxsize=4096)
def _is_app_file(path: Path, root: Path) -> bool:
    if path.name.startswith("<"):
        return False
    path = path.resolve()
    if path.is_relative_to(_LIBRARY):
        return False
    if path.is_relative_to(root):
        return not _PACKAGE_FOLDERS & set(path.relative_to(root).parts)
    return not (
        _PACKAGE_FOLDERS & set(path.parts)
        or any(path.is_relative_to(folder) for folder in _STANDARD)
    )


def _relative(path: Path, root: Path) -> PurePath:
    for folder in (Path.cwd(), root, root.parent):
        if path.is_relative_to(folder):
            return path.relative_to(folder)
    return path
