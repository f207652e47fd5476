"""Find the texts of the interface in templates and code, and bring the catalogues up to date.

`make translations` runs it. It needs the sources of the whole app, and is no part of a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from .catalogues import FOLDER, check_plural_rule, find_mistakes
from .locales import find_locale

ROOT = FOLDER.parent
TEMPLATE = "messages.pot"

_SOURCES = (
    ("jinja2", "templates", "html"),
    ("python", "app/site", "py"),
    ("python", "app/publishing/text", "py"),
)
"""The folders whose files have texts of the interface, with the extraction method of Babel."""

_OPTIONS = {
    "jinja2": {
        "extensions": "app.site.translation.LanguageScope",
        "newstyle_gettext": "true",
        "silent": "false",
        "trimmed": "true",
    },
    "python": {},
}
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "mark_text": None,
}
_SINCE = datetime(2026, 11, 29, tzinfo=UTC)
"""A fixed date, so that a file changes only if a text has changed."""


def extract_texts() -> Catalog:
    """Return every text of the interface, with the files that have it."""
    catalog = _create(None)
    for method, folder, ending in _SOURCES:
        for path in sorted((ROOT / folder).rglob(f"*.{ending}")):
            _add_file(catalog, method, path)
    return catalog


def _add_file(catalog: Catalog, method: str, path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    texts = extract_from_file(
        method, path, _KEYWORDS, ("Translators:",), _OPTIONS[method], strip_comment_tags=True
    )
    for line, text, comments, context in texts:
        catalog.add(text, None, [(name, line)], auto_comments=comments, context=context)


def update_files(folder: Path = FOLDER, languages: Iterable[str] = ()) -> list[str]:
    """Write the template and update each catalogue; return a line for each file.

    Texts that are gone leave a catalogue. A text that has changed a little keeps its translation,
    marked as fuzzy: it is not shown until a translator has removed the mark. `languages` are those
    that get a new catalogue.
    """
    template = extract_texts()
    _write(folder / TEMPLATE, template)
    for language in languages:
        path = folder / f"{language}.po"
        if not path.exists():
            _write(path, _create(language))
    return [_update(path, template) for path in sorted(folder.glob("*.po"))]


def _create(language: str | None) -> Catalog:
    comment = "# The texts of the interface. `make translations` updates this file."
    return Catalog(
        locale=str(find_locale(language)) if language else None,
        header_comment=comment,
        project="Broadsheet",
        version="1",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        charset="utf-8",
        creation_date=_SINCE,
        revision_date=_SINCE,
        fuzzy=False,
    )


def _update(path: Path, template: Catalog) -> str:
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.stem.replace("-", "_"), abort_invalid=True)
    catalog.update(template, update_header_comment=False)
    catalog.obsolete.clear()
    _write(path, catalog)
    mistakes = [mistake for _, mistake in find_mistakes(catalog, check_plural_rule(catalog))]
    missing = len(find_untranslated(catalog))
    summary = f"{path.name}: {len(catalog) - missing} of {len(catalog)} texts are translated."
    return "\n  ".join([summary, *mistakes])


def find_untranslated(catalog: Catalog) -> list[str]:
    """Return the texts that have no translation, or one that a translator must check."""
    return [
        str(message.id)
        for message in catalog
        if message.id and (message.fuzzy or not is_translated(message.string))
    ]


def is_translated(string: object) -> bool:
    """Return whether all forms of a translation are filled in."""
    forms = string if isinstance(string, (tuple, list)) else (string,)
    return all(forms)


def _write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=0, include_lineno=False, sort_by_file=True)
