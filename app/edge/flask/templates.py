"""Templates note themselves: a page depends on the content of each one that it is rendered from.

Includes, parents and imported macros count, and so does the absence of an optional include.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flask.templating import Environment as FlaskEnvironment
from jinja2 import Template, TemplateNotFound

from ..dependencies import Part, recorder
from ..dependencies.fence import fenced
from ..policy.policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from flask import Flask
    from jinja2.environment import TemplateModule
    from jinja2.runtime import Context

KIND = "template"
ABSENT = "absent"
UNKNOWN = "unknown"
"""The digest of what can't be read, or changed meanwhile; every release purges its pages."""


class TrackedTemplate(Template):
    """A template that knows as which part it stands in a page."""

    part: Part | None = None
    module_parts: frozenset[Part] = frozenset()
    """What its module was made from: importing it without context makes that once for all."""
    unshareable_reason: str | None = None

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        outer = recorder.current_record()
        with recorder.recording() as record:
            is_first_import = self._module is None
            module = super()._get_default_module(ctx)
        if module is self._module and is_first_import:
            with fenced("as it noted a template"):
                self._store_module_record(record)
        if module is not self._module:  # made for this one import
            if outer is not None:
                outer.merge(record)
        elif outer is not None:
            outer.add_dependencies(self.module_parts)
            if self.unshareable_reason is not None:
                outer.set_unshareable(self.unshareable_reason)
        return module

    def _store_module_record(self, record: recorder.RenderRecord) -> None:
        dependencies = record.dependencies
        self.module_parts = frozenset(d for d in dependencies if isinstance(d, Part))
        self.unshareable_reason = record.unshareable_reason
        if len(self.module_parts) < len(dependencies):
            reads = f"the template {self.name} reads the database once for all pages"
            self.unshareable_reason = f"{reads}: import it with context"


class TrackedEnvironment(FlaskEnvironment):
    """Flask's environment; whatever is loaded from it is noted in the record of the response."""

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
        with fenced(f"as it noted the template {name}"):
            record_part(self.part(template))
        return template

    def part(self, template: Template) -> Part:
        """The part that a template is; made once for each template object."""
        assert isinstance(template, TrackedTemplate)
        if template.part is None:
            name = template.name or ""
            part = Part(kind=KIND, name=name, digest=self.digest(name))
            if not template.is_up_to_date:  # what was hashed may not be what was compiled
                return Part(kind=KIND, name=name, digest=UNKNOWN)
            template.part = part
        return template.part

    def digest(self, name: str) -> str:
        """The digest of the source that a template has now."""
        assert self.loader is not None
        try:
            source, _, _ = self.loader.get_source(self, name)
        except TemplateNotFound:
            return ABSENT
        except RuntimeError:  # a loader that has no sources
            return UNKNOWN
        return hashlib.blake2b(source.encode(), digest_size=16).hexdigest()


def install(app: Flask) -> None:
    """Let an app's templates note themselves; to be called before the first is loaded."""
    if "jinja_env" in app.__dict__:
        raise PolicyError("The app's templates are in use already: call edge.init_app() before.")
    if issubclass(app.jinja_environment, TrackedEnvironment):
        return
    if app.jinja_environment is not FlaskEnvironment:
        raise PolicyError(
            "The app has a Jinja environment of its own: derive it from NotingEnvironment."
        )
    app.jinja_environment = TrackedEnvironment


def record_part(part: Part) -> None:
    """Note a part of the response that is being made."""
    record = recorder.current_record()
    if record is not None:
        record.add_dependencies((part,))
