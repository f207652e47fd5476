"""The theme folder: templates and static files that win over those of the project.

A theme template with an error never breaks the site: the project's own template is used instead,
and the log, the start-up check and `flask edge check` name the error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)
from werkzeug.exceptions import HTTPException

from .config import ROOT
from .edge.flask.templates import TrackedEnvironment, TrackedTemplate

_log = logging.getLogger(__name__)

DEFAULT_PREFIX = "default"
"""`default/site/base.html` is the project's own template, also where the theme has one."""
STYLESHEET = "css/theme.css"
"""The static file of a theme that every page loads after the project's own style sheets."""
_TEMPLATES = ROOT / "templates"


def folder(app: Flask) -> Path:
    """Return the theme folder of an app; it need not exist."""
    return ROOT / str(app.config["THEME_FOLDER"])


def static_overrides(app: Flask) -> tuple[Path, ...]:
    """Return the folder of the theme's static files, if there is one."""
    path = folder(app) / "static"
    return (path,) if path.is_dir() else ()


def init_app(app: Flask) -> None:
    """Let the theme's templates win; call it before anything uses the app's templates."""
    templates = folder(app) / "templates"
    if not templates.is_dir():
        return
    app.jinja_environment = ThemedEnvironment
    own = FileSystemLoader(_TEMPLATES)
    app.jinja_loader = ChoiceLoader(
        [ThemeLoader(templates), own, PrefixLoader({DEFAULT_PREFIX: own})]
    )


class ThemeLoader(BaseLoader):
    """Loads the templates of a theme; one with a syntax error counts as missing, and is logged."""

    def __init__(self, templates: Path) -> None:
        self.templates = templates
        self._files = FileSystemLoader(templates)
        self._syntax: dict[str, tuple[str, str]] = {}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the source of a template; raises TemplateNotFound if it can't be compiled."""
        try:
            source, file, is_current = self._files.get_source(environment, template)
        except UnicodeDecodeError:
            _report(f"theme template {template}: it is not UTF-8")
            raise TemplateNotFound(template) from None
        if self._syntax.get(template, ("", ""))[0] != source:
            self._syntax[template] = (
                source,
                _syntax_problem(environment, source, file),
            )
        if problem := self._syntax[template][1]:
            _report(f"theme template {template}: {problem}")
            raise TemplateNotFound(template)
        return source, file, is_current

    def list_templates(self) -> list[str]:
        """Return the names of the theme's templates."""
        return self._files.list_templates()


def _syntax_problem(environment: Environment, source: str, file: str) -> str:
    """Return what is wrong with a source, with its line; empty if it can be compiled."""
    try:
        environment.compile(source, filename=file)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except (RecursionError, MemoryError, ValueError) as error:
        return f"it can't be compiled: {error}"
    return ""


class ThemedTemplate(TrackedTemplate):
    """A template that is rendered without the theme if a theme template raises an error."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Render it, or the project's own template of this name."""
        try:
            return super().render(*args, **kwargs)
        except HTTPException:
            raise
        except Exception as error:
            plain = _plain_environment(self.environment)
            place = _theme_place(error, self.environment)
            if plain is None or not place or self.name is None:
                raise
            _report(f"theme template {place}: {type(error).__name__}: {error}")
            return plain.get_template(self.name, globals=self.globals).render(*args, **kwargs)


class ThemedEnvironment(TrackedEnvironment):
    """The environment of an app with a theme."""

    template_class = ThemedTemplate


def _plain_environment(environment: Environment) -> Environment | None:
    """Return the environment without the theme; None if this is that one already."""
    if "plain" in environment.__dict__:
        plain: Environment | None = environment.__dict__["plain"]
        return plain
    own = FileSystemLoader(_TEMPLATES)
    plain = environment.overlay(loader=ChoiceLoader([own, PrefixLoader({DEFAULT_PREFIX: own})]))
    plain.__dict__["plain"] = None
    environment.__dict__["plain"] = plain
    return plain


def _theme_place(error: BaseException, environment: Environment) -> str:
    """Return the theme template and the line in which an error was raised; empty if in none."""
    loader = _theme_loader(environment)
    if loader is None:
        return ""
    place, frame = "", error.__traceback__
    while frame is not None:
        file = Path(frame.tb_frame.f_code.co_filename)
        if file.is_relative_to(loader.templates):
            name = file.relative_to(loader.templates).as_posix()
            place = f"{name}: line {frame.tb_lineno}"
        frame = frame.tb_next
    if not place and isinstance(error, TemplateNotFound):
        return "that names a missing template"
    return place


def _theme_loader(environment: Environment) -> ThemeLoader | None:
    loader = getattr(getattr(environment, "app", None), "jinja_loader", None)
    loaders = loader.loaders if isinstance(loader, ChoiceLoader) else ()
    return next((one for one in loaders if isinstance(one, ThemeLoader)), None)


_logged_problems: set[str] = set()


def _report(sentence: str) -> None:
    """Log a problem of the theme, once for each process."""
    if sentence not in _logged_problems:
        _logged_problems.add(sentence)
        message = "theme.broken: %s; the project's own template is used instead"
        _log.error(message, sentence, extra={"problem": sentence})


def find_problems(app: Flask) -> tuple[str, ...]:
    """Return a sentence for each fault of the theme that can be found without rendering it."""
    loader = _theme_loader(app.jinja_env)
    if loader is None:
        return ()
    blocks = set(own_blocks(app.jinja_env))
    return tuple(
        f"theme template {name}: {problem}"
        for name in loader.list_templates()
        for problem in _problems(app.jinja_env, loader, name, blocks)
    )


def _problems(
    environment: Environment, loader: ThemeLoader, name: str, blocks: set[str]
) -> Iterator[str]:
    path = loader.templates / name
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        yield f"it can't be read: {error}"
        return
    if problem := _syntax_problem(environment, source, str(path)):
        yield problem
        return
    tree = environment.parse(source, filename=str(path))
    assert environment.loader is not None
    for reference in meta.find_referenced_templates(tree):
        if reference is not None and not _exists(environment, reference):
            yield f"it refers to {reference}, and there is no such template"
    if tree.find(nodes.Extends) is not None:
        for block in tree.find_all(nodes.Block):
            if block.name not in blocks:
                near = get_close_matches(block.name, sorted(blocks), n=1, cutoff=0)
                yield (
                    f"line {block.lineno}: no template has a block {block.name!r}; "
                    f"the nearest name is {near[0]!r}"
                )


def _exists(environment: Environment, name: str) -> bool:
    assert environment.loader is not None
    try:
        environment.loader.get_source(environment, name)
    except TemplateNotFound:
        return False
    return True


def own_blocks(environment: Environment, below: str = "") -> Iterator[str]:
    """Yield the names of the blocks of the project's own templates, or of those in a folder."""
    for path in sorted((_TEMPLATES / below).rglob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        yield from (block.name for block in tree.find_all(nodes.Block))
