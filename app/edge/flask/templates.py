"""Record templates as dependencies: a page depends on the content of each template it uses.

Parents, includes and imported macros count, and so does the absence of an optional include.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flask.templating import Environment as FlaskEnvironment
from jinja2 import Template, TemplateNotFound

from ..dependencies.current_record import current_record
from ..dependencies.fence import fenced
from ..dependencies.part import Part
from ..policy.policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from flask import Flask
    from jinja2.environment import TemplateModule
    from jinja2.runtime import Context

    from ..dependencies.recorder import RenderRecord

KIND = "template"
ABSENT = "absent"
UNKNOWN = "unknown"
"""The digest of a template whose source is unreadable or has just changed.

Every release purges its pages.
"""


class TrackedTemplate(Template):
    """A template with the part that represents it in the dependencies of a page."""

    part: Part | None = None
    module_parts: frozenset[Part] = frozenset()
    """Dependencies of its module, which an import without context renders only once."""
    unshareable_reason: str | None = None

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        from ..dependencies.recorder import recording  # noqa: PLC0415 - its modules are many

        outer = current_record()
        with recording() as record:
            is_first_import = self._module is None
            module = super()._get_default_module(ctx)
        if module is self._module and is_first_import:
            with fenced("as it recorded a template"):
                self._store_module_record(record)
        if module is not self._module:  # rendered for this import only
            if outer is not None:
                outer.merge(record)
        elif outer is not None:
            outer.add_dependencies(self.module_parts)
            if self.unshareable_reason is not None:
                outer.set_unshareable(self.unshareable_reason)
        return module

    def _store_module_record(self, record: RenderRecord) -> None:
        dependencies = record.dependencies
        self.module_parts = frozenset(d for d in dependencies if isinstance(d, Part))
        self.unshareable_reason = record.unshareable_reason
        if len(self.module_parts) < len(dependencies):
            reads = f"the template {self.name} reads the database once for all pages"
            self.unshareable_reason = f"{reads}: import it with context"


class TrackedEnvironment(FlaskEnvironment):
    """Flask's Jinja environment; records each loaded template as a dependency."""

    template_class = TrackedTemplate

    def _load_template(
        self,
        name: str,
        globals: MutableMapping[str, Any] | None,  # noqa: A002 - Jinja's own name
    ) -> Template:
        try:
            template = super()._load_template(name, globals)
        except TemplateNotFound:
            record_part(Part(kind=KIND, name=name, digest=ABSENT))
            raise
        with fenced(f"as it recorded the template {name}"):
            record_part(self.part(template))
        return template

    def part(self, template: Template) -> Part:
        """Return the part of a template; computed once per template object."""
        assert isinstance(template, TrackedTemplate)
        if template.part is None:
            name = template.name or ""
            part = Part(kind=KIND, name=name, digest=self.digest(name))
            if not template.is_up_to_date:  # the compiled source may differ from the hashed one
                return Part(kind=KIND, name=name, digest=UNKNOWN)
            template.part = part
        return template.part

    def digest(self, name: str) -> str:
        """Return the digest of a template's current source."""
        assert self.loader is not None
        try:
            source, _, _ = self.loader.get_source(self, name)
        except TemplateNotFound:
            return ABSENT
        except RuntimeError:  # the loader has no sources
            return UNKNOWN
        return hashlib.blake2b(source.encode(), digest_size=16).hexdigest()


def install(app: Flask) -> None:
    """Install TrackedEnvironment; must be called before the first template is loaded."""
    if "jinja_env" in app.__dict__:
        raise PolicyError(
            "The app's Jinja environment was used before edge.init_app(): call init_app() first."
        )
    if issubclass(app.jinja_environment, TrackedEnvironment):
        return
    if app.jinja_environment is not FlaskEnvironment:
        raise PolicyError(
            "The app has its own Jinja environment class: derive it from TrackedEnvironment."
        )
    app.jinja_environment = TrackedEnvironment


def record_part(part: Part) -> None:
    """Record a dependency of the current response on this part."""
    record = current_record()
    if record is not None:
        record.add_dependencies((part,))
