"""The words of the interface in templates: `_("…")`, `{% trans %}` and `{% language %}`.

The language is that of the site's settings, which each page reads and so depends on, or that of a
post for the words around its text. It never comes from the request: the pages are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, current_app, g
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from app import extensions, i18n
from app.edge.dependencies.current_record import current_record
from app.edge.dependencies.recorder import RenderRecord
from app.publishing.languages import find_own_language
from app.publishing.models import Post, Site

from .local_time import in_site_zone

_EXTENSION = "translations"

_scope: ContextVar[str] = ContextVar("language_of_words", default="")
"""The language of the innermost `{% language %}`; empty outside."""


@dataclass(slots=True, kw_only=True)
class Translator:
    """The catalogues of an app, and the language of the page that it rendered last."""

    catalogues: i18n.Catalogues
    last_language: str = i18n.SOURCE_LANGUAGE


def init_app(app: Flask) -> None:
    """Load the catalogues, and add the tags and functions to the templates."""
    use_catalogues(app, i18n.load_catalogues())
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.add_extension(LanguageScope)
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined] # added by jinja2.ext.i18n
    environment.globals |= {
        "_": gettext,
        "gettext": gettext,
        "ngettext": ngettext,
        "pgettext": pgettext,
        "npgettext": npgettext,
    }


def use_catalogues(app: Flask, files: i18n.Catalogues) -> None:
    """Take the words from these catalogues; a release purges the pages of one that changes."""
    app.extensions[_EXTENSION] = Translator(catalogues=files)
    digests = {f"catalogue {language}": digest for language, digest in files.digests.items()}
    extensions.edge.add_resources(app, digests)


def catalogues() -> i18n.Catalogues:
    """Return the catalogues of this app."""
    return _translator().catalogues


def _translator() -> Translator:
    translator = current_app.extensions[_EXTENSION]
    assert isinstance(translator, Translator)
    return translator


def current_language() -> str:
    """Return the language of the words at this place of a template."""
    if scope := _scope.get():
        return scope
    publication = g.publication()
    assert publication is not None, "the template is being rendered"
    language: str = publication.site.language
    _require_same_record(publication.record)
    _translator().last_language = language
    return language


def _require_same_record(record: RenderRecord | None) -> None:
    """Mark a template as not shareable if it stores words that are rendered once for all pages.

    Jinja renders the top level of an imported template once. The pages that import it later would
    show these words after a change of the language, and would not depend on the settings.
    """
    current = current_record()
    if current is not None and current is not record:
        current.set_unshareable(
            "an imported template uses words of the interface outside of its macros: "
            "move them into a macro"
        )


def last_language() -> str:
    """Return the site's language when a page was last rendered, if it has words; else English.

    For error pages that can't read the database, and that no cache stores.
    """
    language = _translator().last_language
    return language if catalogues().has_words(language) else i18n.SOURCE_LANGUAGE


def is_translated(language: str) -> bool:
    """Return whether the words of a language come from a catalogue."""
    return bool(catalogues().names(language))


def mark_text(text: str) -> str:
    """Return a text that is to be translated where it is shown; the catalogues list it."""
    return text


def _current_words() -> i18n.Words:
    """Return the words of the current language; the page depends on their catalogues."""
    language = current_language()
    _record_catalogues(language)
    return catalogues().words(language)


def _record_catalogues(tag: str) -> None:
    """Record the catalogues of a tag, and the absence of the others."""
    for name in i18n.catalogue_names(tag):
        extensions.edge.record_resource(f"catalogue {name}")


@contextmanager
def use_language(tag: str) -> Iterator[None]:
    """Use the words, dates and numbers of a language; an empty tag changes nothing."""
    token = _scope.set(tag or _scope.get())
    try:
        yield
    finally:
        _scope.reset(token)


class LanguageScope(Extension):
    """The tag `{% language tag %}…{% endlanguage %}`: the language of the words inside."""

    tags = {"language"}  # noqa: RUF012 - Jinja reads it as a class attribute

    def parse(self, parser: Parser) -> nodes.Node:
        """Read the tag and its content."""
        line = next(parser.stream).lineno
        tag = parser.parse_expression()
        body = parser.parse_statements(("name:endlanguage",), drop_needle=True)
        call = self.call_method("_render", [tag])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _render(self, tag: str, caller: Callable[[], str]) -> str:
        with use_language(tag):
            return caller()


def gettext(message: str, /, **values: Any) -> Markup:
    """Return a text in the current language; `values` are escaped."""
    return _fill(_current_words().gettext(message), message, values)


def ngettext(singular: str, plural: str, num: int, /, **values: Any) -> Markup:
    """Return the plural form for a number, which is `%(num)s`."""
    words = _current_words()
    source = singular if num == 1 else plural
    return _fill(words.ngettext(singular, plural, num), source, _with_number(num, values))


def pgettext(context: str, message: str, /, **values: Any) -> Markup:
    """Return a text in the meaning that the context explains to translators."""
    return _fill(_current_words().pgettext(context, message), message, values)


def npgettext(context: str, singular: str, plural: str, num: int, /, **values: Any) -> Markup:
    """Return the plural form for a number, in the meaning that the context explains."""
    words = _current_words()
    source = singular if num == 1 else plural
    text = words.npgettext(context, singular, plural, num)
    return _fill(text, source, _with_number(num, values))


def _with_number(number: int, values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "num": i18n.format_number(number, current_language())}


def _fill(text: str, source: str, values: dict[str, Any]) -> Markup:
    """Fill the placeholders of a text; the English text is used if the translation's are wrong."""
    try:
        return Markup(text) % values  # noqa: S704 - catalogues belong to the code
    except (KeyError, TypeError, ValueError):
        return Markup(source) % values  # noqa: S704 - as above


def day(instant: date) -> str:
    """Format a day: 4 March 2026; that of an instant in the site's time zone."""
    return i18n.format_day(in_site_zone(instant), current_language())


def month(instant: date) -> str:
    """Return the name of a month without a day: March."""
    return i18n.format_month(in_site_zone(instant), current_language())


def number(value: float) -> str:
    """Format a number: 1,234."""
    return i18n.format_number(value, current_language())


def join_names(names: list[str]) -> Markup:
    """Join names as a sentence lists them: "A, B and C"."""
    return i18n.join_names(names, current_language())


def language_of_words(post: Post, settings: Site) -> str:
    """Return the language of the words around a post: its own if there are words for it."""
    own = find_own_language(post.language, settings.language) or ""
    _record_catalogues(own)
    return own if own and catalogues().has_words(own) else settings.language


def words_attribute(post: Post, settings: Site) -> Markup:
    """Return the `lang` attribute of words inside a post's element that are in another language."""
    own = find_own_language(post.language, settings.language)
    words = language_of_words(post, settings)
    return Markup("") if own in {None, words} else Markup(' lang="{}"').format(words)


FILTERS = (day, join_names, language_of_words, month, number, words_attribute)
