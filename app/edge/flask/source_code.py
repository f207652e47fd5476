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

from .source_imports import find_imports

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
    def load(cls, names: Iterable[str]) -> Code:
        """Read the packages (or single modules) of these names, all of them imported already."""
        sources: dict[str, bytes] = {}
        packages: set[str] = set()
        for name in names:
            for module, path in _files(name):
                sources[module] = path.read_bytes()
                if path.stem == _INIT:
                    packages.add(module)
        return cls(modules=sources, packages=frozenset(packages), platform=_platform())

    def digest_view_modules(
        self, views: Iterable[str], common_modules: Iterable[str] = ()
    ) -> dict[str, str]:
        """The digest of each module of `views` that concerns its own pages alone.

        What such a module imports from another one counts as its own. `shared` are modules that
        concern every page for a reason that the sources don't show.
        """
        view_modules = {*views} & self.modules.keys() - self.packages - {*common_modules}
        candidates = frozenset(view_modules)
        imports = {name: self._imports_of(name, candidates) for name in self.modules}
        while common := {n for n in view_modules if self._is_common(n, view_modules, imports)}:
            view_modules -= common
        return {
            name: self.digest(_reachable_modules(name, imports, view_modules))
            for name in sorted(view_modules)
        }

    def digest(self, names: Iterable[str]) -> str:
        """The digest of some modules, whatever their order."""
        hasher = hashlib.blake2b(self.platform.encode(), digest_size=16)
        for name in sorted(names):
            hasher.update(hashlib.blake2b(name.encode() + b"\0" + self.modules[name]).digest())
        return hasher.hexdigest()

    def _is_common(
        self, name: str, view_modules: Iterable[str], imports: Mapping[str, Iterable[str]]
    ) -> bool:
        registers = {*view_modules, name.rpartition(".")[0]}
        return any(
            name in imported_names for by, imported_names in imports.items() if by not in registers
        )

    def _imports_of(self, name: str, candidates: frozenset[str]) -> frozenset[str]:
        package = name if name in self.packages else name.rpartition(".")[0]
        return find_imports(self.modules[name], package, candidates) - {name}


def _reachable_modules(
    name: str, imports: Mapping[str, frozenset[str]], view_modules: set[str]
) -> set[str]:
    reachable, open_ends = set[str](), [name]
    while open_ends:
        here = open_ends.pop()
        if here not in reachable:
            reachable.add(here)
            open_ends += imports[here] & view_modules
    return reachable


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
            module_name = package if stem == _INIT else f"{package}.{stem}"
            yield module_name, Path(folder, f"{stem}.py")


def _platform() -> str:
    versions = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(versions)
