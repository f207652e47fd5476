"""Digests of what pages are built from besides the database: code, settings, templates, files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ..dependencies import Part
from . import templates
from .source_code import Code
from .static import KIND as STATIC
from .static import StaticFiles

if TYPE_CHECKING:
    from flask import Flask

CODE = "code"
SETTING = "setting"
HEADER_SETTINGS = ("EDGE", "EDGE_PURGED", "EDGE_TTL_CAP", "EDGE_VARY")
"""Settings that decide the headers of every page; `with_drivers` sets EDGE_PURGED."""

_LIBRARY = __name__.rpartition(".flask")[0]


class AppBuild:
    """Digests of the code, settings, templates and static files that this process renders from."""

    def __init__(self, app: Flask, settings: Sequence[str]) -> None:
        self._app = app
        self._settings = tuple(dict.fromkeys((*settings, *HEADER_SETTINGS)))
        self.code = _load_source(app.import_name.partition(".")[0])

    def reset(self) -> None:
        """Forget the computed digests, so that the next access computes them again."""
        for name in ("build_id", "_view_module_digests", "_code_part"):
            self.__dict__.pop(name, None)

    def parts_of(self, view: str) -> Iterator[Part]:
        """Yield the settings and code that each page of an endpoint depends on.

        Templates and static files are recorded when they are used.
        """
        yield from (self._setting_part(name) for name in self._settings)
        yield self._code_part
        module = _module(self._app.view_functions.get(view))
        if module in self._view_module_digests:
            yield Part(kind=CODE, name=module, digest=self._view_module_digests[module])

    def digest(self, kind: str, name: str) -> str:
        """Return the current digest of a part; needs an app context."""
        if kind == CODE:
            return (
                self._code_part.digest
                if name == self._code_part.name
                else self._view_module_digests.get(name, "")
            )
        if kind == SETTING:
            return self._setting_part(name).digest
        if kind == STATIC:
            return "" if self._static is None else self._static.part(name).digest
        if kind == templates.KIND:
            return self._environment.digest(name)
        return ""

    @cached_property
    def build_id(self) -> str:
        """The id of this process's build; all processes of one release have the same id."""
        digest_lines = [
            self.code.digest(self.code.modules),
            *(f"{name} {self._setting_part(name).digest}" for name in self._settings),
            *(f"{name} {self._environment.digest(name)}" for name in self._template_names()),
        ]
        if self._static is not None:
            files = self._static.manifest().files
            digest_lines += [f"{name} {files[name].fingerprint}" for name in sorted(files)]
        return hashlib.blake2b("\n".join(digest_lines).encode(), digest_size=16).hexdigest()

    @cached_property
    def _view_module_digests(self) -> dict[str, str]:
        views = {_module(view) for view in self._app.view_functions.values()}
        return self.code.digest_view_modules(views, {_module(hook) for hook in _hooks(self._app)})

    @cached_property
    def _code_part(self) -> Part:
        name = self._app.import_name.partition(".")[0]
        common = self.code.modules.keys() - self._view_module_digests.keys()
        return Part(kind=CODE, name=name, digest=self.code.digest(common))

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


@cache
def _load_source(package: str) -> Code:
    """Load the sources of a package and of this library, once per process."""
    return Code.load({package, _LIBRARY.partition(".")[0]})


def _module(thing: Any) -> str:
    return str(getattr(thing, "__module__", ""))


def _hooks(app: Flask) -> Iterator[Any]:
    """Yield functions that the app runs for pages of all modules."""
    for functions in (
        app.before_request_funcs,
        app.after_request_funcs,
        app.template_context_processors,
        app.url_default_functions,
        app.url_value_preprocessors,
    ):
        yield from functions.get(None, ())
    for of_code in app.error_handler_spec[None].values():
        yield from of_code.values()
    for things in (app.jinja_env.filters, app.jinja_env.tests, app.jinja_env.globals):
        yield from things.values()
