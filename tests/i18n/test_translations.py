"""The files in `translations/`: they have every text of the interface, without a mistake."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app.i18n import Catalogues
from app.i18n.catalogues import FOLDER, parse
from app.i18n.extraction import TEMPLATE, extract_texts, find_untranslated, update_files

COMPLETE = ("ar", "de", "es", "fr", "ja")
ADVICE = "run `make translations`, then translate what it reports in translations/*.po"


def read_file(path: Path) -> Catalog:
    """Return the texts of a file."""
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(catalog: Catalog) -> set[tuple[object, object]]:
    """Return the context and the original of each text."""
    return {(message.context, message.id) for message in catalog if message.id}


@pytest.fixture(scope="module")
def current_texts() -> Catalog:
    """The texts in templates and code as they are now."""
    return extract_texts()


def test_the_template_has_every_text(current_texts: Catalog) -> None:
    """A text that was added or changed must be there before translators can see it."""
    assert texts(read_file(FOLDER / TEMPLATE)) == texts(current_texts), ADVICE


@pytest.mark.parametrize("language", COMPLETE)
def test_a_language_that_is_called_complete_is_complete(
    current_texts: Catalog, language: str
) -> None:
    """No text is missing, and none waits for a translator's check."""
    catalog = read_file(FOLDER / f"{language}.po")
    assert texts(catalog) == texts(current_texts), ADVICE
    assert find_untranslated(catalog) == [], ADVICE


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.po")), ids=lambda path: str(path.stem))
def test_a_catalogue_has_no_mistake(path: Path) -> None:
    """Each placeholder and tag of the original is there, and each plural form."""
    assert parse(path.read_bytes(), path.stem, path.name).problems == ()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "لا مقالات"),
        (1, "مقالة واحدة"),
        (2, "مقالتان"),
        (3, "%(num)s مقالات"),
        (11, "%(num)s مقالة"),
        (100, "%(num)s مقالة"),
        (103, "%(num)s مقالات"),
    ],
)
def test_arabic_has_six_plural_forms(count: int, text: str) -> None:
    """The rule is that of CLDR."""
    words = Catalogues(FOLDER).words("ar")
    assert words.ngettext("%(num)s article", "%(num)s articles", count) == text


ENGLISH = re.compile(r"(?<![<&%(/\"=])\b[A-Za-z]{2,}\b(?![)>=])")


@pytest.mark.parametrize("language", ["ar", "ja"])
def test_no_english_is_left_in_a_language_of_another_script(language: str) -> None:
    """Names such as Atom and JSON are the exception."""
    for message in read_file(FOLDER / f"{language}.po"):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in forms if message.id else ():
            text = re.sub(r"<[^>]*>|%\(\w+\)s", "", str(form))
            assert set(ENGLISH.findall(text)) <= {"Atom", "JSON", "RSS", "URL"}, form


def test_updating_keeps_what_is_translated(tmp_path: Path) -> None:
    """`make translations` twice gives the same bytes, and the same as the files here."""
    for path in (*FOLDER.glob("*.po"), FOLDER / TEMPLATE):
        shutil.copy(path, tmp_path)
    lines = update_files(tmp_path, ["pt-BR"])
    for path in (*FOLDER.glob("*.po"), FOLDER / TEMPLATE):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), ADVICE
    (line,) = [line for line in lines if line.startswith("pt-BR.po: 0 of ")]
    assert "\n" not in line
    assert find_untranslated(read_file(tmp_path / "pt-BR.po")) != []
    assert '"Language: pt_BR' in (tmp_path / "pt-BR.po").read_text("utf-8")


def test_the_image_has_the_translations() -> None:
    """A container without them would show English on every site."""
    lines = (FOLDER.parent / ".dockerignore").read_text("utf-8").split()
    assert f"!{FOLDER.name}/" in lines
