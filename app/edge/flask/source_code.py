"""Digests of the code that renders pages: a package's modules and the versions of libraries.

A module with views that only other such modules and the package that registers it import has a
digest of its own: a change purges only its own pages. A change of other code purges every page.
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
    """The sources of some packages at the time of loading; load them when the process starts.

    `modules` maps the name of each module to its source; `platform` lists versions.
    """

    modules: Mapping[str, bytes] = field(repr=False)
    packages: frozenset[str] = field(repr=False)
    platform: str

    @classmethod
    def load(cls, names: Iterable[str]) -> Code:
        """Read the sources of these packages or modules, which must be imported already."""
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
        """Return the digest of each module of `views` that affects only its own pages.

        The digest covers the view modules that it imports. `common_modules` affect every page for
        a reason that the sources don't show.
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
        """Return the digest of some modules, in any order."""
        hasher = hashlib.blake2b(self.platform.encode(), digest_size=16)
        for name in sorted(names):
            hasher.update(hashlib.blake2b(name.encode() + b"\0" + self.modules[name]).digest())
        return hasher.hexdigest()

    def _is_common(
        self, name: str, view_modules: Iterable[str], imports: Mapping[str, Iterable[str]]
    ) -> bool:
        allowed = {*view_modules, name.rpartition(".")[0]}
        return any(
            name in imported_names
            for importer, imported_names in imports.items()
            if importer not in allowed
        )

    def _imports_of(self, name: str, candidates: frozenset[str]) -> frozenset[str]:
        package = name if name in self.packages else name.rpartition(".")[0]
        return find_imports(self.modules[name], package, candidates) - {name}


def _reachable_modules(
    name: str, imports: Mapping[str, frozenset[str]], view_modules: set[str]
) -> set[str]:
    reachable, pending = set[str](), [name]
    while pending:
        module = pending.pop()
        if module not in reachable:
            reachable.add(module)
            pending += imports[module] & view_modules
    return reachable


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the modules below a name with their files."""
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
