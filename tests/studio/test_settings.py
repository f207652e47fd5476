"""The settings of the site in the studio."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Publication, Role, Site
from app.publishing.permissions import SYSTEM
from app.publishing.site_settings import BY_COLUMN, SETTINGS, Kind
from app.studio.setting_fields import ON, editable_settings, read_columns, to_text

from .people import Browser, add_person, find_fields, sign_in
from .writing import NOW, open_post, read_public

PATH = "/studio/settings"
VALUES = {
    "title": "Ada's <notes>",
    "tagline": "On looms",
    "description": "All of it.",
    "language": "de-CH",
    "time_zone": "Europe/Zurich",
    "accent": "#8a1c5b",
    "accent_dark": "#ffb4a2",
    "footer_text": "Printed *daily*.\n\nBy hand.",
    "footer_links": "Imprint = ours = /imprint\nSearch = https://example.com/?q=1&r=2",
    "posts_per_page": "7",
    "copyright": "© 2026 Ada",
    "profiles": "https://mastodon.example/@ada\nhttps://example.com/ada",
    "content_signal": "search=yes, ai-train=no",
    "content_usage": "train-ai=n",
    "security_contact": "mailto:safe@ada.example",
    "security_expires": "2026-12-31",
    "emoji": ON,
    "smart_punctuation": ON,
    "slugs": "unicode",
}


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an owner."""
    return sign_in(app, add_person(name="Ada"))


def load_form(browser: Browser) -> dict[str, str]:
    """Return the fields of the form as a browser sends them unchanged."""
    page = browser.get(PATH)
    assert page.status_code == 200
    return read_form(page.text)


def read_form(page: str) -> dict[str, str]:
    """Return the fields of the form in a page."""
    main = page.partition('<form method="post" action="/studio/settings" class="sections">')[2]
    fields = find_fields(main.partition("</form>")[0])
    switch_names = re.findall(r'type="checkbox" name="(\w+)"[^>]* checked', main)
    image_ids = re.findall(
        r'<select id="(\w+)"(?:(?!</select>).)*?value="(\d*)" selected', main, re.DOTALL
    )
    switches = {setting.name for setting in SETTINGS if setting.kind is Kind.SWITCH}
    texts = {name: value for name, value in fields.items() if name not in switches}
    return {**texts, **dict(image_ids), **dict.fromkeys(switch_names, ON)}


def load_site() -> Site:
    """Return the settings as the database has them."""
    db.session.remove()
    return db.session.scalars(sa.select(Site)).one()


def add_image(width: int, height: int, name: str) -> int:
    """Store an image and return its id."""
    content = BytesIO()
    Image.new("RGB", (width, height), "navy").save(content, "PNG")
    return actions.add_media(content.getvalue(), name, now=NOW, actor=SYSTEM).id


def test_each_setting_has_a_field_with_its_help(browser: Browser) -> None:
    """A setting that is added to the table gets a field without a change of the template."""
    page = unescape(browser.get(PATH).text)
    for setting in SETTINGS:
        assert (f'name="{setting.name}"' in page) is (setting.kind is not Kind.SLUGS), setting.name
        assert setting.kind is Kind.SLUGS or setting.help.replace("\n", " ") in page


def test_each_setting_is_saved_and_shown_again(browser: Browser) -> None:
    """Every value that the form sends is stored, and the form shows it afterwards."""
    images = {name: str(add_image(512, 512, f"{name}.png")) for name in ("logo", "icon")}
    answer = browser.post(PATH, {**load_form(browser), **VALUES, **images})
    assert answer.status_code == 303, answer.text
    form_values = load_form(browser)
    assert {name: form_values[name] for name in VALUES | images} == VALUES | images
    site = load_site()
    assert site.footer_links[0] == {"text": "Imprint = ours", "url": "/imprint"}
    assert (site.posts_per_page, site.emoji, site.icon_id) == (7, True, int(images["icon"]))
    empty_values = {"emoji": "", "logo": "", "profiles": "", "footer_links": ""}
    browser.post(PATH, {**form_values, **empty_values})
    site = load_site()
    assert (site.emoji, site.logo_id, site.profiles, site.footer_links) == (False, None, [], [])


def test_a_form_without_changes_changes_nothing(browser: Browser) -> None:
    """The row keeps its version, and no page is refreshed."""
    browser.post(PATH, {**load_form(browser), **VALUES})
    version = load_site().version
    assert browser.post(PATH, load_form(browser)).status_code == 303
    assert load_site().version == version
    newest = sa.select(Publication).order_by(Publication.id.desc()).limit(1)
    publication = db.session.scalars(newest).one()
    assert (publication.urls, publication.everything_reason) == ([], "")


def test_saved_settings_are_on_the_public_pages(browser: Browser) -> None:
    """The answer leads to the page with the refreshed pages, which leads back to the form."""
    read_public(browser, "/about")
    assert "The Gazette" in read_public(browser, "/").text
    answer = browser.post(PATH, {**load_form(browser), "title": "The Herald"})
    page = browser.get(str(answer.location)).text
    assert "Settings saved" in page
    assert "It refreshes" in page
    assert f'href="{PATH}"' in page
    assert "The Herald" in read_public(browser, "/").text


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("title", "", ""),
        ("title", "x" * 201, "200"),
        ("language", "no language", ""),
        ("time_zone", "Europe/Berlln", "Europe/Berlin"),
        ("accent", "#ffff00", "contrast"),
        ("posts_per_page", "many", "is not a number such as 20"),
        ("posts_per_page", "3", "from 5 to 100"),
        ("posts_per_page", "9" * 40, "is not a number"),
        ("footer_links", "Imprint", "write both"),
        ("footer_links", "Bad = javascript:alert(1)", "is not a link"),
        ("profiles", "example", ""),
        ("content_signal", "search=maybe", "is no preference"),
        ("security_contact", "nobody", "neither a mail address"),
        ("security_expires", "soon", "is not a day"),
        ("slugs", "greek", ""),
        ("logo", "x", "is not a number"),
    ],
)
def test_an_error_is_shown_at_its_field(
    browser: Browser, name: str, value: str, sentence: str
) -> None:
    """Nothing is saved, and the form keeps every value that was typed."""
    version = load_site().version
    posted_values = {**load_form(browser), **VALUES, name: value}
    answer = browser.post(PATH, posted_values)
    assert answer.status_code == 422
    note = re.search(rf'<div id="{name}-note">\s*<p class="problem">([^<]+)<', answer.text)
    assert note is not None
    assert sentence in unescape(note[1])
    form_values = read_form(answer.text)
    names = set(VALUES) - {"logo"}
    assert {key: form_values[key] for key in names} == {key: posted_values[key] for key in names}
    assert load_site().version == version


def test_all_errors_are_shown_at_once(browser: Browser) -> None:
    """The notice counts them."""
    wrong = {"title": "", "posts_per_page": "0", "slugs": "greek"}
    answer = browser.post(PATH, {**load_form(browser), **wrong})
    assert "3 fields have errors" in answer.text
    assert answer.text.count('aria-invalid="true"') == 3


def test_an_icon_that_is_not_square_is_refused_at_its_field(browser: Browser) -> None:
    """The action finds it; the chosen image stays chosen."""
    image = str(add_image(640, 480, "wide.png"))
    answer = browser.post(PATH, {**load_form(browser), "icon": image})
    assert answer.status_code == 422
    assert re.search(r'id="icon-note">\s*<p class="problem">The icon wide', answer.text)
    assert read_form(answer.text)["icon"] == image


def test_an_image_that_is_not_stored_is_refused(browser: Browser) -> None:
    """The other values stay in the form."""
    answer = browser.post(PATH, {**load_form(browser), "logo": "999", "tagline": "Kept"})
    assert answer.status_code == 409
    assert read_form(answer.text)["tagline"] == "Kept"
    assert load_site().tagline == ""


def test_a_second_owner_replaces_no_values_unseen(browser: Browser) -> None:
    """The form keeps the typed values beside the saved ones; the next save replaces those."""
    form = load_form(browser)
    actions.change_site({"tagline": "Theirs & more"}, actor=SYSTEM)
    answer = browser.post(PATH, {**form, "title": "Mine"})
    assert answer.status_code == 409
    assert 'Saved value: <span dir="auto">Theirs &amp; more</span>' in answer.text
    assert 'Saved value: <span dir="auto">The Gazette</span>' in answer.text
    assert (load_site().title, load_site().tagline) == ("The Gazette", "Theirs & more")
    second_form = {**read_form(answer.text), "tagline": "Theirs & more"}
    assert browser.post(PATH, second_form).status_code == 303
    assert (load_site().title, load_site().tagline) == ("Mine", "Theirs & more")


def test_another_time_zone_lists_scheduled_posts_before_it_is_saved(browser: Browser) -> None:
    """The instants stay; the page shows each with its old and its new local time."""
    post = open_post("Due", is_public=False)
    due = datetime(2099, 7, 1, 12, tzinfo=UTC)
    actions.schedule(post.id, due, expected_version=1, now=NOW, actor=SYSTEM)
    answer = browser.post(PATH, {**load_form(browser), "time_zone": "japan", "title": "Kept"})
    assert answer.status_code == 200
    assert "1 July 2099, 12:00 (UTC, UTC+00:00) becomes 1 July 2099, 21:00 (Japan" in answer.text
    assert (load_site().time_zone, load_site().title) == ("UTC", "The Gazette")
    confirmation = read_form(answer.text)
    other = browser.post(PATH, {**confirmation, "time_zone": "Europe/Zurich"})
    assert "1 July 2099, 14:00 (Europe/Zurich" in other.text
    answer = browser.post(PATH, confirmation)
    assert answer.status_code == 303
    assert browser.get(str(answer.location)).status_code == 200
    assert (load_site().time_zone, load_site().title) == ("Japan", "Kept")


def test_a_time_zone_without_scheduled_posts_is_saved_at_once(browser: Browser) -> None:
    """There is nothing to look at first."""
    open_post("Public")
    assert browser.post(PATH, {**load_form(browser), "time_zone": "GMT"}).status_code == 303
    assert load_site().time_zone == "GMT"


def test_a_site_without_saved_settings_has_the_defaults(browser: Browser) -> None:
    """The first save makes the row."""
    db.session.execute(sa.delete(Site))
    db.session.commit()
    form = load_form(browser)
    assert (form["title"], form["version"]) == ("Broadsheet", "0")
    assert browser.post(PATH, {**form, "title": "First"}).status_code == 303
    assert load_site().title == "First"


@pytest.mark.parametrize("role", [Role.WRITER, Role.EDITOR])
def test_only_owners_see_the_settings(app: Flask, role: Role) -> None:
    """Neither the page nor the link to it is for others."""
    browser = sign_in(app, add_person(role))
    assert browser.get(PATH).status_code == 403
    assert browser.post(PATH, {"title": "Mine"}).status_code == 403
    assert PATH not in browser.get("/studio").text


def test_the_texts_of_a_form_give_the_values_back() -> None:
    """The defaults of all settings survive the way to the form and back."""
    texts = {s.name: to_text(s, s.default) for s in editable_settings()}
    columns, errors = read_columns(texts)
    assert errors == {}
    defaults = {column: setting.default for column, setting in BY_COLUMN.items()}
    assert {name: list(v) if isinstance(v, tuple) else v for name, v in defaults.items()} == columns
