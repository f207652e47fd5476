"""Digests of what pages are built from besides the database: code, settings, templates, files.

The code of the app is one part that every page depends on, so a release with other code purges all
pages. Templates and static files are parts of the pages that use them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ..dependencies.part import Part
from . import templates
from .static import KIND as STATIC
from .static import StaticFiles

if TYPE_CHECKING:
    from flask import Flask

CODE = "code"
SETTING = "setting"
RESOURCE = "resource"
HEADER_SETTINGS = ("EDGE", "EDGE_PURGED", "EDGE_TTL_CAP", "EDGE_VARY")
"""Settings that decide the headers of every page; `with_drivers` sets EDGE_PURGED."""

PACKAGES = ("babel", "flask", "jinja2", "markupsafe", "sqlalchemy", "werkzeug")
"""The installed packages whose versions are part of the code."""

_LIBRARY = __name__.rpartition(".flask")[0]
_INIT = "__init__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The sources of some packages at the time of loading; load them when the process starts.

    `modules` maps the name of each module to its source; `platform` lists versions.
    """

    modules: Mapping[str, bytes] = field(repr=False)
    platform: str

    @classmethod
    def load(cls, names: Iterable[str]) -> Code:
        """Read the sources of these packages or modules, which must be imported already."""
        files = [entry for name in names for entry in _source_files(name)]
        modules = {module: path.read_bytes() for module, path in files}
        return cls(modules=modules, platform=_describe_platform())

    def digest(self) -> str:
        """Return one digest of all modules and of the platform."""
        hasher = hashlib.blake2b(self.platform.encode(), digest_size=16)
        for name in sorted(self.modules):
            hasher.update(hashlib.blake2b(name.encode() + b"\0" + self.modules[name]).digest())
        return hasher.hexdigest()


class AppBuild:
    """Digests of the code, settings, templates and static files that this process renders from."""

    def __init__(self, app: Flask, settings: Sequence[str]) -> None:
        self._app = app
        self._settings = tuple(dict.fromkeys((*settings, *HEADER_SETTINGS)))
        self.code = _load_source(app.import_name.partition(".")[0])

    def reset(self) -> None:
        """Forget the computed digests, so that the next access computes them again."""
        for name in ("build_id", "_code_part"):
            self.__dict__.pop(name, None)

    def common_parts(self) -> Iterator[Part]:
        """Yield the settings and the code, which every page depends on.

        Templates and static files are recorded when they are used.
        """
        yield from (self._setting_part(name) for name in self._settings)
        yield self._code_part

    def digest(self, kind: str, name: str) -> str:
        """Return the current digest of a part; needs an app context."""
        if kind == CODE:
            return self._code_part.digest if name == self._code_part.name else ""
        if kind == SETTING:
            return self._setting_part(name).digest
        if kind == STATIC:
            return "" if self._static is None else self._static.part(name).digest
        if kind == templates.KIND:
            return self._environment.digest(name)
        if kind == RESOURCE:
            return self.resource(name).digest
        return ""

    @cached_property
    def build_id(self) -> str:
        """The id of this process's build; all processes of one release have the same id."""
        digest_lines = [
            self._code_part.digest,
            *(f"{name} {self._setting_part(name).digest}" for name in self._settings),
            *(f"{name} {self._environment.digest(name)}" for name in self._template_names()),
            *(f"{name} {digest}" for name, digest in sorted(self._resources.items())),
        ]
        if self._static is not None:
            files = self._static.manifest().files
            digest_lines += [f"{name} {files[name].fingerprint}" for name in sorted(files)]
        return hashlib.blake2b("\n".join(digest_lines).encode(), digest_size=16).hexdigest()

    @cached_property
    def _code_part(self) -> Part:
        name = self._app.import_name.partition(".")[0]
        return Part(kind=CODE, name=name, digest=self.code.digest())

    def resource(self, name: str) -> Part:
        """Return a resource of the app (`Edge.add_resources`), or the part of its absence."""
        return _of_resource(name, self._resources.get(name, templates.ABSENT))

    @property
    def _resources(self) -> dict[str, str]:
        resources: dict[str, str] = self._app.extensions["edge"].resources
        return resources

    @property
    def _environment(self) -> templates.TrackedEnvironment:
        environment = self._app.jinja_env
        assert isinstance(environment, templates.TrackedEnvironment)
        return environment

    @property
    def _static(self) -> StaticFiles | None:
        view_owner = getattr(self._app.view_functions.get("static"), "__self__", None)
        return view_owner if isinstance(view_owner, StaticFiles) else None

    def _template_names(self) -> list[str]:
        loader = self._environment.loader
        return sorted(loader.list_templates()) if loader is not None else []

    def _setting_part(self, name: str) -> Part:
        return _of_setting(name, repr(self._app.config.get(name)))


@lru_cache(maxsize=256)  # all pages depend on the same few settings
def _of_setting(name: str, value: str) -> Part:
    digest = hashlib.blake2b(value.encode(), digest_size=16).hexdigest()
    return Part(kind=SETTING, name=name, digest=digest)


@lru_cache(maxsize=256)  # as above
def _of_resource(name: str, digest: str) -> Part:
    return Part(kind=RESOURCE, name=name, digest=digest)


@cache
def _load_source(package: str) -> Code:
    """Load the sources of a package and of this library, once per process."""
    return Code.load({package, _LIBRARY.partition(".")[0]})


def _source_files(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the modules below a name with their files."""
    file = getattr(sys.modules.get(name), "__file__", None)
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


def _describe_platform() -> str:
    versions = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(versions)
