"""Which code a page is rendered by: digests of a package's modules, and of what they run on.

A module that holds views, and is imported by nobody but other such modules and the package that
registers it, is told apart: its change concerns its own pages. All other code concerns every page.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .source_imports import imported

PACKAGES = ("flask", "jinja2", "markupsafe", "sqlalchemy", "werkzeug")
"""The installed packages whose versions are part of the code."""

_INIT = "__init__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The sources of some packages, as they were when they were read: do it at the start.

    `modules` maps the name of each module to its source; `platform` names versions.
    """

    modules: Mapping[str, bytes] = field(repr=False)
    packages: frozenset[str] = field(repr=False)
    platform: str

    @classmethod
    def read(cls, names: Iterable[str]) -> Code:
        """Read the packages (or single modules) of these names, all of them imported already."""
        found: dict[str, bytes] = {}
        packages: set[str] = set()
        for name in names:
            for module, path in _files(name):
                found[module] = path.read_bytes()
                if path.stem == _INIT:
                    packages.add(module)
        return cls(modules=found, packages=frozenset(packages), platform=_platform())

    def told_apart(self, views: Iterable[str], shared: Iterable[str] = ()) -> dict[str, str]:
        """The digest of each module of `views` that concerns its own pages alone.

        What such a module imports from another one counts as its own. `shared` are modules that
        concern every page for a reason that the sources don't show.
        """
        apart = {*views} & self.modules.keys() - self.packages - {*shared}
        wanted = frozenset(apart)
        imports = {name: self._imported(name, wanted) for name in self.modules}
        while common := {n for n in apart if self._is_common(n, apart, imports)}:
            apart -= common
        return {name: self.digest(_reached(name, imports, apart)) for name in sorted(apart)}

    def digest(self, names: Iterable[str]) -> str:
        """The digest of some modules, whatever their order."""
        told = hashlib.blake2b(self.platform.encode(), digest_size=16)
        for name in sorted(names):
            told.update(hashlib.blake2b(name.encode() + b"\0" + self.modules[name]).digest())
        return told.hexdigest()

    def _is_common(
        self, name: str, apart: Iterable[str], imports: Mapping[str, Iterable[str]]
    ) -> bool:
        registers = {*apart, name.rpartition(".")[0]}
        return any(name in found for by, found in imports.items() if by not in registers)

    def _imported(self, name: str, wanted: frozenset[str]) -> frozenset[str]:
        package = name if name in self.packages else name.rpartition(".")[0]
        return imported(self.modules[name], package, wanted) - {name}


def _reached(name: str, imports: Mapping[str, frozenset[str]], apart: set[str]) -> set[str]:
    found, open_ends = set[str](), [name]
    while open_ends:
        here = open_ends.pop()
        if here not in found:
            found.add(here)
            open_ends += imports[here] & apart
    return found


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """The modules below a name, with their files."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None:
        return
    path = Path(file)
    if path.stem != _INIT:
        yield name, path
        return
    for folder, _, files in os.walk(path.parent):
        package = ".".join((name, *Path(folder).relative_to(path.parent).parts))
        for stem in (file[:-3] for file in files if file.endswith(".py")):
            found = package if stem == _INIT else f"{package}.{stem}"
            yield found, Path(folder, f"{stem}.py")


def _platform() -> str:
    said = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            said.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(said)
