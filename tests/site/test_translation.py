"""The words of the interface: in the site's language, around a post in the post's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from markupsafe import Markup

from app import i18n
from app.edge.flask.deploy import release
from app.edge.policy.guard import Leak
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.i18n.catalogues import FOLDER
from app.publishing import languages
from app.publishing.actions import SiteDraft, save_site
from app.publishing.models import Post, Site
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction
from app.site import translation

from . import content
from .conftest import PATHS

WORDS = {
    "en": ("Skip to the text", "1 January 2024", "By "),
    "de": ("Zum Text springen", "1. Januar 2024", "Von "),
    "fr": ("Aller au texte", "1 janvier 2024", "Par "),
    "es": ("Saltar al texto", "1 de enero de 2024", "Por "),
    "ar": ("تخطَّ إلى النص", "1 يناير 2024", "بقلم "),
    "ja": ("本文へ移動", "2024年1月1日", "文\uff1a"),
}
"""A word, a date and the beginning of a byline in each language."""


def set_language(language: str) -> None:
    """Save the site's settings with another language."""
    site = db.session.get(Site, 1)
    draft = SiteDraft(title="The Gazette", language=language)
    save_site(draft, expected_version=site.version if site else None, actor=SYSTEM)
    db.session.remove()


@pytest.fixture
def article(app: Flask) -> Post:
    """An article of 1 January 2024 with an author and a topic."""
    return content.post("Lanterns", at=content.day(0), topics=["Harbour"], authors=["Ada"])


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.usefixtures("article")
def test_a_page_is_in_the_language_of_the_site(app: Flask, language: str) -> None:
    """Its words, its dates and its byline; the reader's browser has no say."""
    set_language(language)
    client = app.test_client()
    word, day, byline = WORDS[language]
    html = client.get("/articles/lanterns", headers={"Accept-Language": "ja, de"}).text
    assert f'<a class="skip" href="#main">{word}</a>' in html
    assert f">{day}</time>" in html
    assert f"<span>{byline}<a href=" in html
    assert html == client.get("/articles/lanterns", headers={"Accept-Language": "fr"}).text


@pytest.mark.parametrize("language", ["ar", "ja"])
@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/edge/")])
def test_no_english_word_is_left_on_a_page(site_app: Flask, language: str, path: str) -> None:
    """Every text of the interface is translated: labels, titles and names for screen readers."""
    client = site_app.test_client()
    english = interface_texts(client.get(path).text)
    set_language(language)
    html = client.get(path).text
    common_texts = english & interface_texts(html)
    untranslated = {text for text in common_texts if re.search(r"\b[a-z]{3,}", text)}
    assert untranslated - content_texts() == set()


@pytest.mark.parametrize("language", ["en", "de-AT", "ar", "ja", "nl", "zh-Hant"])
def test_each_language_and_direction_of_a_page_is_valid(site_app: Flask, language: str) -> None:
    """`lang` is a language tag in its canonical spelling, `dir` one of three words."""
    with transaction():
        for post, tag in zip(db.session.query(Post).all(), ("fa", "de", "nl"), strict=False):
            post.language = tag
    set_language(language)
    client = site_app.test_client()
    for path in PATHS:
        html = client.get(path).text
        direction = languages.direction(language)
        assert f'<html lang="{language}" dir="{direction}">' in html, path
        for name, value in re.findall(r'\s(lang|dir)="([^"<>]*)"', html):
            is_valid = value in {"ltr", "rtl", "auto"} if name == "dir" else is_tag(value)
            assert is_valid, (path, name, value)
        assert not re.search(r'<[^<>]* (lang|dir)="[^<>]* \1="', html), path


def is_tag(value: str) -> bool:
    """Return whether a text is a language tag in its canonical spelling."""
    try:
        return languages.parse_tag(value) == value
    except languages.TagError:
        return False


def interface_texts(html: str) -> set[str]:
    """Return each text and label of a page, without the words of authors and of the reader."""
    for content_of in (
        r'<div class="prose">.*?(?=<footer|</article>)',
        r'<p class="summary".*?</p>',
        r"<(?:script|style|title|bdi)\b.*?</(?:script|style|title|bdi)>",
    ):
        html = re.sub(content_of, "", html, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|alt)="([^"]*)"', html)
    return {text.strip() for text in (*re.findall(r">([^<>]+)<", html), *labels)}


def content_texts() -> set[str]:
    """Return the texts that belong to the site's content, which stay as they are."""
    posts = db.session.query(Post).all()
    texts = {text for post in posts for text in (post.title, post.summary, post.cover_alt)}
    texts |= {Markup.escape(text) for text in texts}
    for post in posts:
        texts |= {topic.name for topic in post.topics} | {author.name for author in post.authors}
        texts |= {str(entry["text"]) for entry in post.contents}
    return texts


@pytest.mark.parametrize(
    ("language", "by", "minutes", "attribute"),
    [
        ("de", "Von ", "1 Min. Lesezeit", ""),
        ("ar", "بقلم ", "دقيقة واحدة للقراءة", ""),
        ("nl", "By ", "1 min read", ' lang="en"'),
    ],
)
def test_the_words_around_a_post_are_in_its_language(
    app: Flask, article: Post, language: str, by: str, minutes: str, attribute: str
) -> None:
    """If there is a catalogue for it; else they are in the site's, and say so."""
    content.settings()
    with transaction():
        post = db.session.get_one(Post, article.id)
        post.language, post.minutes = language, 1
    html = app.test_client().get("/articles/lanterns").text
    assert f'<p class="byline"{attribute}><span>{by}<a href=' in html
    assert minutes in html
    assert "Skip to the text" in html


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a German site with a gateway."""
    app = make_app(EDGE_GATEWAY=True)
    content.post("Lanterns", at=content.day(0), topics=["Harbour"], authors=["Ada"])
    set_language("de")
    release(app)
    db.session.remove()
    return app.test_client()


def test_another_language_of_the_site_purges_its_pages(client: FlaskClient) -> None:
    """The setting is a row that each page has read."""
    german = client.get("/").text
    assert_hit(client.get("/"))
    set_language("fr")
    response = client.get("/")
    assert_miss(response)
    assert response.text != german
    assert "Aller au texte" in response.text


def test_words_outside_of_macros_are_not_shared(client: FlaskClient) -> None:
    """Jinja renders them once per process, in the language of the first page."""
    app = client.application
    loader = app.jinja_env.loader
    assert loader is not None
    name = "site/shared/parts.html"
    source = loader.get_source(app.jinja_env, name)[0] + '{% set label = _("Search") %}'
    app.jinja_env.loader = ChoiceLoader([DictLoader({name: source}), loader])
    app.extensions["edge"].tracker.parts.reset()
    with pytest.raises(Leak, match="move them into a macro"):
        client.get("/")


def deploy_catalogues(app: Flask, folder: Path) -> None:
    """Use the catalogues of a folder, as a process that was just deployed does."""
    app.extensions["edge"].resources.clear()
    translation.use_catalogues(app, i18n.Catalogues(folder))


def test_a_changed_catalogue_purges_the_pages_in_its_language_at_the_release(
    client: FlaskClient, tmp_path: Path
) -> None:
    """Robots.txt shows none of its words and stays; another language's file purges nothing."""
    app = client.application
    for path in ("/", "/robots.txt"):
        client.get(path)
        assert_hit(client.get(path))
    for file in FOLDER.glob("*.po"):
        text = file.read_text("utf-8") + ("\n# new\n" if file.stem == "fr" else "")
        (tmp_path / file.name).write_text(text, "utf-8")
    deploy_catalogues(app, tmp_path)
    assert release(app).parts == ()
    db.session.remove()
    assert_hit(client.get("/"))
    german = tmp_path / "de.po"
    german.write_text(german.read_text("utf-8").replace("Zum Text springen", "Zum Inhalt"), "utf-8")
    deploy_catalogues(app, tmp_path)
    assert release(app).parts == (("resource", "catalogue de"),)
    db.session.remove()
    assert_hit(client.get("/robots.txt"))
    response = client.get("/")
    assert_miss(response)
    assert "Zum Inhalt" in response.text


def test_a_new_catalogue_purges_the_pages_that_had_english_words(
    client: FlaskClient, tmp_path: Path
) -> None:
    """A page depends on the absence of a catalogue for its language as well."""
    app = client.application
    set_language("nl")
    assert "Skip to the text" in client.get("/").text
    dutch = (FOLDER / "de.po").read_text("utf-8").replace("Zum Text springen", "Naar de tekst")
    (tmp_path / "nl.po").write_text(dutch, "utf-8")
    deploy_catalogues(app, tmp_path)
    assert release(app).parts == (("resource", "catalogue nl"),)
    db.session.remove()
    assert "Naar de tekst" in client.get("/").text


def test_a_broken_catalogue_leaves_the_page_in_english(client: FlaskClient, tmp_path: Path) -> None:
    """The page answers 200; the log has the reason."""
    source = (FOLDER / "de.po").read_text("utf-8").replace("(n != 1)", "(n !=)")
    (tmp_path / "de.po").write_text(source, "utf-8")
    deploy_catalogues(client.application, tmp_path)
    release(client.application)
    db.session.remove()
    response = client.get("/")
    assert response.status_code == 200
    assert "Skip to the text" in response.text


@pytest.mark.parametrize(
    ("language", "name", "heading"),
    [
        ("en", "Method Not Allowed", "This can’t be answered"),
        ("de", "Methode nicht erlaubt", "Diese Anfrage lässt sich nicht beantworten"),
        ("nl", "Method Not Allowed", "This can’t be answered"),
    ],
)
@pytest.mark.usefixtures("article")
def test_an_error_page_is_in_the_language_of_the_site(
    app: Flask, language: str, name: str, heading: str
) -> None:
    """It reads no database, so it takes the language of the page before it; no cache stores it."""
    set_language(language)
    client = app.test_client()
    client.get("/")
    response = client.post("/archive")
    assert response.headers["Cache-Control"] == "no-store"
    assert f'<p class="label">{name}</p>' in response.text
    assert f"<h1>{heading}</h1>" in response.text
    tag = "en" if language == "nl" else language
    assert response.text.startswith(f'<!doctype html>\n<html lang="{tag}" dir="ltr">')


@pytest.mark.parametrize("sentence", ["%(nobody)s", "100 %", "%d", "%("])
def test_a_translation_that_can_not_be_filled_is_shown_in_english(sentence: str) -> None:
    """The checks of a catalogue refuse such a translation; this is the second line of defence."""
    filled = translation._fill(sentence, "By %(names)s", {"names": "<Ada>"})
    assert filled == Markup("By &lt;Ada&gt;")
