"""Find the file of the folder that a text names, in the spellings that browsers and editors use.

Never finds a file outside the folder. The names of a folder are read once per finder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

from .source_urls import inside

_TOPS = ("", "static", "assets", "public", "content")
_MAX_NAMES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file of the folder; `is_other_case` if the text writes its name in another case."""

    path: PurePosixPath
    is_other_case: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFinder:
    """Finds files below `home`, beside a post or in `tops`, `static`, `assets` and `public`."""

    home: Path
    tops: tuple[PurePosixPath, ...] = ()
    _names: dict[PurePosixPath, tuple[str, ...]] = field(default_factory=dict)

    def find(self, reference: str, folder: PurePosixPath) -> FoundFile | None:
        """Return the file that a post in `folder` means by a reference, which may be encoded.

        An exact name comes before one that differs in its Unicode form, and that before the only
        one that differs in case.
        """
        candidates = list(dict.fromkeys(self._candidates(reference, folder)))
        for candidate in candidates:
            if self._is_own_file(candidate):
                return FoundFile(path=candidate)
        for fold, is_other_case in ((_compose, False), (_fold_case, True)):
            for candidate in candidates:
                path = self._walk(candidate, fold)
                if path is not None and self._is_own_file(path):
                    return FoundFile(path=path, is_other_case=is_other_case)
        return None

    def _candidates(self, reference: str, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """Yield the paths that a reference may mean, the most likely first."""
        tops = dict.fromkeys((*map(str, self.tops), *_TOPS))
        for path in _spellings(reference):
            beside = () if path.startswith("/") else (folder.as_posix(),)
            for start in (*beside, *tops):
                if (candidate := inside(f"{start}/{path}")) is not None:
                    yield candidate

    def _walk(self, candidate: PurePosixPath, fold: Callable[[str], str]) -> PurePosixPath | None:
        """Return the one path whose names are equal after `fold`; None for none or several."""
        path = PurePosixPath()
        for part in candidate.parts:
            names = self._list(path)
            if part not in names:
                key = fold(part)
                equal = [name for name in names if fold(name) == key]
                if len(equal) != 1:
                    return None
                part = equal[0]  # noqa: PLW2901 - the name that the file system has
            path /= part
        return path

    def _list(self, folder: PurePosixPath) -> tuple[str, ...]:
        if folder not in self._names:
            try:
                entries = [path.name for path in (self.home / folder).iterdir()]
            except OSError:
                entries = []
            self._names[folder] = tuple(sorted(entries[:_MAX_NAMES]))
        return self._names[folder]

    def _is_own_file(self, path: PurePosixPath) -> bool:
        try:
            real = (self.home / path).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            return False
        return real.is_relative_to(self.home) and real.is_file()


def _spellings(reference: str) -> Iterable[str]:
    """Return the paths that a reference may spell: decoded, as written, `+` as a blank."""
    path = reference.split("#", 1)[0].split("?", 1)[0]
    decoded = unquote(path)
    spellings = (decoded, path, decoded.replace("+", " "), unquote(reference), reference)
    return dict.fromkeys(spelling for spelling in spellings if spelling.strip("/."))


def _compose(name: str) -> str:
    return normalize("NFC", name)


def _fold_case(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())
