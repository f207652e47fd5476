"""Catalogues: the words of a language tag, and files with mistakes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.i18n import Catalogues
from app.i18n.catalogues import parse

HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
FEED = 'msgid "Feed"\nmsgstr "Strom"\n\n'
BY = 'msgid "By %(names)s"\nmsgstr "{}"\n\n'
LINK = 'msgid "See <a href=\\"%(url)s\\">this</a>."\nmsgstr "{}"\n\n'
COUNT = 'msgid "%(num)s article"\nmsgid_plural "%(num)s articles"\n'


def words_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the translation of "Feed" and the problems of a catalogue."""
    catalogue = parse(text.encode(), "de", "translations/de.po")
    return catalogue.words.gettext("Feed"), catalogue.problems


UNUSABLE = {
    "a plural rule with an error": (
        HEADER.replace("(n != 1)", "(n !=)") + FEED,
        "plural",
    ),
    "a plural rule that divides by zero": (
        HEADER.replace("(n != 1)", "(n % 0)") + FEED,
        "plural rule",
    ),
    "a plural rule with code": (
        HEADER.replace("(n != 1)", "__import__('os')") + FEED,
        "plural",
    ),
    "more forms than promised": (
        HEADER.replace("(n != 1)", "(n == 1 ? 0 : 2)") + FEED,
        "promises 2 plural forms",
    ),
    "a line that is no catalogue": (HEADER + FEED + "hello\n", "line"),
}


@pytest.mark.parametrize(("text", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_catalogue_that_can_not_be_read_gives_english_words(text: str, reason: str) -> None:
    """One sentence names the file, the reason and the consequence."""
    word, (problem,) = words_of(text)
    assert word == "Feed"
    assert problem.startswith("translations/de.po is not used: ")
    assert reason in problem
    assert problem.endswith("Its words appear in English.")
    assert "\n" not in problem


def test_a_catalogue_in_another_encoding_gives_english_words() -> None:
    """The sentence says what to do."""
    catalogue = parse((HEADER + FEED.replace("o", "ö")).encode("latin-1"), "de", "de.po")
    assert catalogue.words.gettext("Feed") == "Feed"
    assert "save the file as UTF-8" in catalogue.problems[0]


MISTAKES = {
    "a placeholder with another name": BY.format("Von %(namen)s"),
    "a missing placeholder": BY.format("Von jemandem"),
    "a placeholder twice": BY.format("%(names)s %(names)s"),
    "a percent sign": BY.format("100 % von %(names)s"),
    "a placeholder without its type": BY.format("Von %(names)"),
    "a placeholder of another type": BY.format("Von %(names)d"),
    "a missing tag": LINK.format('Siehe <a href=\\"%(url)s\\">hier.'),
    "another tag": LINK.format('<script>x</script><a href=\\"%(url)s\\">hier</a>'),
    "another address": LINK.format('<a href=\\"//evil.example\\" x=\\"%(url)s\\">hier</a>'),
    "one plural form of two": COUNT + 'msgstr[0] "%(num)s Artikel"\n\n',
    "an empty plural form": COUNT + 'msgstr[0] "%(num)s Artikel"\nmsgstr[1] ""\n\n',
    "a plural form with another placeholder": COUNT
    + 'msgstr[0] "%(n)s"\nmsgstr[1] "%(num)s A"\n\n',
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_translation_with_a_mistake_is_left_out_alone(mistake: str) -> None:
    """Its text appears in English; the others are used. The sentence has the line."""
    catalogue = parse((HEADER + mistake + FEED).encode(), "de", "translations/de.po")
    assert catalogue.words.gettext("Feed") == "Strom"
    assert catalogue.words.gettext("By %(names)s") == "By %(names)s"
    assert catalogue.words.ngettext("%(num)s article", "%(num)s articles", 2) == "%(num)s articles"
    (problem,) = catalogue.problems
    assert problem.startswith("translations/de.po, line 6: the translation of ")
    assert problem.endswith("This text appears in English.")


def test_a_plural_form_may_leave_the_number_out() -> None:
    """Arabic says "one article" and "two articles" without digits."""
    text = COUNT + 'msgstr[0] "ein Artikel"\nmsgstr[1] "%(num)s Artikel"\n\n'
    catalogue = parse((HEADER + text).encode(), "de", "de.po")
    assert catalogue.problems == ()
    assert catalogue.words.ngettext("%(num)s article", "%(num)s articles", 1) == "ein Artikel"


def test_a_translation_to_be_checked_is_not_shown() -> None:
    """A changed text keeps its old translation, marked as fuzzy."""
    assert words_of(HEADER + "#, fuzzy\n" + FEED) == ("Feed", ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with catalogues of German, of Austria and a broken one of Dutch."""
    (tmp_path / "de.po").write_text(HEADER + FEED + BY.format("Von %(names)s"), "utf-8")
    (tmp_path / "de-AT.po").write_text(HEADER + FEED.replace("Strom", "Feed (AT)"), "utf-8")
    (tmp_path / "nl.po").write_text("nonsense", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("tag", "feed", "by"),
    [
        ("de", "Strom", "Von %(names)s"),
        ("de-AT", "Feed (AT)", "Von %(names)s"),
        ("de-Latn-AT", "Strom", "Von %(names)s"),
        ("de-CH", "Strom", "Von %(names)s"),
        ("nl", "Feed", "By %(names)s"),
        ("xx", "Feed", "By %(names)s"),
        ("en", "Feed", "By %(names)s"),
        ("en-GB", "Feed", "By %(names)s"),
    ],
)
def test_a_word_comes_from_the_closest_catalogue_that_has_it(
    folder: Path, tag: str, feed: str, by: str
) -> None:
    """Country, then language, then English: word by word."""
    words = Catalogues(folder).words(tag)
    assert (words.gettext("Feed"), words.gettext("By %(names)s")) == (feed, by)


def test_a_broken_catalogue_is_logged_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When its words are first needed; a site in another language never reads it."""
    catalogues = Catalogues(folder)
    catalogues.words("de")
    assert caplog.messages == []
    for _ in range(3):
        catalogues.words("nl")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"i18n.catalogue: {folder.name}/nl.po is not used: ")


def test_the_words_are_those_whose_digest_was_taken(folder: Path) -> None:
    """A file that changes while the process runs changes no page of this process."""
    catalogues = Catalogues(folder)
    before = catalogues.digests["de"]
    (folder / "de.po").write_text(HEADER + FEED.replace("Strom", "Neu"), "utf-8")
    assert catalogues.words("de").gettext("Feed") == "Strom"
    assert Catalogues(folder).digests["de"] != before
