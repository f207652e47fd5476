"""The table of site settings, and everything that follows it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.config import ROOT
from app.extensions import db
from app.publishing import actions, site_settings
from app.publishing.actions import Draft, SiteDraft
from app.publishing.errors import Invalid, Missing
from app.publishing.export import export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.models import Kind, Post, Site
from app.publishing.permissions import SYSTEM
from app.publishing.queries import archive
from app.publishing.queries.site import default_site, settings
from app.publishing.site_settings import BY_COLUMN, BY_NAME, SETTINGS
from app.publishing.text.contrast import AA, contrast
from app.publishing.text.palette import DARK, LIGHT, ColourError, check_accent, readable_accent

DOCS = ROOT / "docs" / "writing.md"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 50"><path d="M0 0h9"/></svg>'
EVERYTHING: dict[str, Any] = {
    "title": "Ada's notes",
    "tagline": "On looms",
    "description": "All of it.",
    "language": "de-CH",
    "time_zone": "Europe/Zurich",
    "accent": "#8a1c5b",
    "accent_dark": "#ffb4a2",
    "footer_text": "Printed *daily*.\n\nBy hand.",
    "footer_links": [{"text": "Imprint = ours", "url": "/imprint"}],
    "posts_per_page": 7,
    "copyright": "© 2026 Ada",
    "profiles": ["https://mastodon.example/@ada"],
    "content_signal": "search=yes, ai-train=no",
    "content_usage": "train-ai=n",
    "security_contact": "mailto:safe@ada.example",
    "security_expires": "2026-12-31",
    "emoji": True,
    "smart_punctuation": True,
    "slugs": "unicode",
}


def png(size: tuple[int, int] = (64, 64)) -> bytes:
    """Return an image."""
    file = BytesIO()
    Image.new("RGB", size, "#8a1c5b").save(file, "PNG")
    return file.getvalue()


def run(app: Flask, *words: str) -> tuple[int, str]:
    """Run `flask content site`; return its status and its output."""
    result = app.test_cli_runner().invoke(args=["content", "site", *words])
    return result.exit_code, result.output


def values(app: Flask) -> dict[str, Any]:
    """Return all settings as the command prints them for programs."""
    status, output = run(app, "--json")
    assert status == 0
    shown: dict[str, Any] = json.loads(output)
    return shown


def test_columns_draft_command_and_page_follow_the_table(app: Flask) -> None:
    """Each setting has a column, a field of the draft, an option and a row in the docs."""
    private = {"id", "version", "footer_html"}
    assert set(Site.__table__.columns.keys()) - private == set(BY_COLUMN)
    assert [field.name for field in fields(SiteDraft)] == list(BY_COLUMN)
    for field in fields(SiteDraft):
        assert field.name == "title" or field.default == BY_COLUMN[field.name].default
    help_text = app.test_cli_runner().invoke(args=["content", "site", "--help"]).output
    table = DOCS.read_text(encoding="utf-8").partition("## Settings of the site")[2]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$", table, re.MULTILINE)
    assert rows == [
        (setting.name, setting.kind.value, _default(setting), setting.help) for setting in SETTINGS
    ]
    for setting in SETTINGS:
        assert f"--{setting.name.replace('_', '-')}" in help_text
    assert set(values(app)) == set(BY_NAME)


def _default(setting: site_settings.SiteSetting) -> str:
    if setting.default in ("", None, ()):
        return ""
    return f"`{str(setting.default).lower() if setting.default is False else setting.default}`"


def test_export_and_import_carry_every_setting(app: Flask, tmp_path: Path, now: datetime) -> None:
    """Images are files of the folder; the second site has the same settings."""
    images = {
        f"{name}_id": actions.add_media(content, f"{name}.png", now=now, actor=SYSTEM).id
        for name, content in (
            ("logo", SVG),
            ("logo_dark", png((9, 3))),
            ("icon", png()),
            ("social_image", png((120, 63))),
        )
    }
    actions.change_site(EVERYTHING | images, actor=SYSTEM)
    page = actions.create(Draft(title="About", kind=Kind.PAGE, slug="about"), now=now, actor=SYSTEM)
    actions.publish(page.id, expected_version=page.version, now=now, actor=SYSTEM)
    actions.arrange_menu(["about"], actor=SYSTEM)
    before = values(app)
    export_folder(tmp_path / "out")
    written = tomllib.loads((tmp_path / "out" / "site.toml").read_text())
    assert set(written) == set(BY_NAME)
    db.session.execute(sa.delete(Site))
    db.session.execute(sa.delete(Post))
    db.session.commit()
    report = import_folder(tmp_path / "out", now=now)
    assert [str(remark) for remark in report.skipped] == []
    assert values(app) == before


def test_a_site_file_keeps_the_settings_that_it_does_not_name(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Also without a title."""
    actions.change_site(EVERYTHING, actor=SYSTEM)
    (tmp_path / "site.toml").write_text('tagline = "New"\nfooter_links = ["Home = /"]\n')
    import_folder(tmp_path, now=now)
    assert values(app)["title"] == "Ada's notes"
    assert values(app)["tagline"] == "New"
    assert values(app)["footer_links"] == [{"text": "Home", "url": "/"}]
    assert values(app)["posts_per_page"] == 7


@pytest.mark.parametrize(
    ("lines", "place", "names"),
    [
        ('title = "x"\nfooter = ["a"]', "site.toml:2", ("footer", "footer_text")),
        ('acent = "#8a1c5b"', "site.toml:1", ("acent", "accent")),
        ('[[authors]]\nname = "Ada"\nbiography = "x"', "site.toml:3", ("biography", "bio")),
        ("[redirect]\na = 'b'", "site.toml:1", ("redirect", "redirects")),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_one(
    app: Flask, tmp_path: Path, now: datetime, lines: str, place: str, names: tuple[str, str]
) -> None:
    """The rest of the file is used."""
    (tmp_path / "site.toml").write_text(lines + "\n")
    (remark,) = [
        one for one in import_folder(tmp_path, now=now).warnings if "not known" in one.sentence
    ]
    assert remark.place == place
    assert f"the key {names[0]!r}" in remark.sentence
    assert remark.sentence.endswith(f"the nearest name is {names[1]!r}")


def test_one_bad_setting_does_not_stop_the_others(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Each is named with what is wrong."""
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "site.toml").write_text(
        'title = "Mine"\ntime_zone = "Europe/Berln"\naccent = "#eeeeee"\nlogo = "notes.txt"\n'
        'icon = "none.png"\n'
    )
    skipped = " ".join(map(str, import_folder(tmp_path, now=now).skipped))
    for words in ("Europe/Berlin", "#eeeeee", "The logo 'notes.txt' can't be used", "none.png"):
        assert words in skipped
    assert settings().title == "Mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--accent", "#ff8f75"), "has a contrast of 1.9:1 with the footer #f4eddf in the light"),
        (("--accent-dark", "#8a1c5b"), "in the dark colour scheme; text needs 4.5:1"),
        (("--accent", "red"), "'red' is not a colour such as #b5321b"),
        (("--time-zone", "Europe/Berln"), "the nearest name is Europe/Berlin"),
        (("--time-zone", "Mars/Olympus"), "'Mars/Olympus' is not a time zone such as"),
        (("--language", "klingon"), "'klingon' is not a language tag such as"),
        (("--posts-per-page", "0"), "The posts per page are a number from 5 to 100, not 0"),
        (("--footer-links", "Imprint"), "A link of the footer has a text and a URL; write both"),
        (("--footer-links", "X = javascript:alert(1)"), "is not a link such as /imprint"),
        (("--footer-links", "X = //evil.example"), "is not a link such as /imprint"),
        (("--profiles", "@ada@mastodon.example"), "is not an address such as"),
        (("--logo", "/nowhere/logo.svg"), "can't be read (No such file or directory)"),
        (("--logo", str(ROOT / "README.md")), "The logo 'README.md' can't be used"),
        (("--menu", "nowhere"), "There is no page 'nowhere' for the menu"),
        (("--title", ""), "The title is empty; write one"),
    ],
)
def test_a_bad_value_is_one_sentence(app: Flask, words: tuple[str, ...], sentence: str) -> None:
    """And nothing is saved."""
    before = values(app)
    status, output = run(app, *words)
    assert (status, output.count("\n")) == (1, 1)
    assert sentence in output
    assert values(app) == before


@pytest.mark.parametrize(("ratio", "is_accepted"), [(4.4, False), (4.6, True)])
def test_the_least_contrast_is_four_and_a_half(ratio: float, *, is_accepted: bool) -> None:
    """With the darkest of the light backgrounds."""
    greys = [f"#{level:02x}{level:02x}{level:02x}" for level in range(256)]
    colour = min(greys, key=lambda grey: abs(contrast(grey[1:], LIGHT.sheet[1:]) - ratio))
    with nullcontext() if is_accepted else pytest.raises(ColourError):
        check_accent(colour, LIGHT)


def test_the_limits_of_numbers_and_lists(app: Flask) -> None:
    """Both ends are allowed."""
    for number in (5, 100):
        assert (
            actions.change_site({"posts_per_page": number}, actor=SYSTEM).posts_per_page == number
        )
    for number in (4, 101):
        with pytest.raises(Invalid, match="posts per page"):
            actions.change_site({"posts_per_page": number}, actor=SYSTEM)
    links = [{"text": f"Link {number}", "url": "/"} for number in range(21)]
    assert len(actions.change_site({"footer_links": links[:20]}, actor=SYSTEM).footer_links) == 20
    with pytest.raises(Invalid, match="There are 21 footer links; 20 are the most"):
        actions.change_site({"footer_links": links}, actor=SYSTEM)


def test_an_icon_is_square_and_an_image_exists(app: Flask, now: datetime) -> None:
    """A row that is gone is named."""
    wide = actions.add_media(png((9, 3)), "wide.png", now=now, actor=SYSTEM)
    high = actions.add_media(png((3, 9)), "high.png", now=now, actor=SYSTEM)
    for icon, size in ((wide, "9 by 3"), (high, "3 by 9")):
        with pytest.raises(Invalid, match=f"{size} pixels; an icon is square"):
            actions.change_site({"icon_id": icon.id}, actor=SYSTEM)
    with pytest.raises(Missing):
        actions.change_site({"logo_id": 999}, actor=SYSTEM)


def test_lists_are_given_by_repeated_options_and_emptied_by_an_empty_one(app: Flask) -> None:
    """A link is written as text = URL."""
    run(app, "--footer-links", "Imprint = /imprint", "--footer-links", "Q = /search?q=a=b")
    links = [{"text": "Imprint", "url": "/imprint"}, {"text": "Q", "url": "/search?q=a=b"}]
    assert values(app)["footer_links"] == links
    run(app, "--title", "Mine")
    assert values(app)["footer_links"] == links
    run(app, "--footer-links", "")
    assert values(app)["footer_links"] == []


def test_a_site_without_settings_has_the_defaults_of_the_table(app: Flask) -> None:
    """The same as a new row."""
    saved = actions.save_site(SiteDraft(title="Broadsheet"), expected_version=None, actor=SYSTEM)
    for column in BY_COLUMN:
        assert getattr(default_site(), column) == getattr(saved, column)


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_the_palette_is_that_of_the_style_sheet(scheme: Any) -> None:
    """The contrast is checked with the real colours."""
    styles = (ROOT / "static" / "css" / "site.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", styles, re.DOTALL)
    tokens = dict(re.findall(r"(--[a-z-]+): ([^;]+);", blocks[0]))
    if scheme is DARK:
        tokens |= dict(re.findall(r"(--[a-z-]+): ([^;]+);", blocks[1]))
    assert (tokens["--paper"], tokens["--sheet"], tokens["--accent"]) == (
        scheme.paper,
        scheme.sheet,
        scheme.accent,
    )
    assert tokens["--button-text"] == "var(--paper)"
    assert scheme.button_text == scheme.paper
    check_accent(scheme.accent, scheme)


@pytest.mark.parametrize("colour", ["#8a1c5b", "#ffffff", "#000000", "#777777", "#00ff00"])
@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_a_colour_that_is_made_readable_has_the_contrast_everywhere(
    colour: str, scheme: Any
) -> None:
    """On the page, in the footer and on buttons."""
    readable = readable_accent(colour, scheme)
    assert all(contrast(readable[1:], ground[1:]) >= AA for _, ground in scheme.grounds)


NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def at_new_year(app: Flask) -> Post:
    """Return an article that came out half an hour before the year ended in UTC."""
    draft = Draft(title="Late", body_markdown="x", published_at=NEW_YEAR)
    post = actions.create(draft, now=NEW_YEAR, actor=SYSTEM)
    return actions.publish(post.id, expected_version=post.version, now=NEW_YEAR, actor=SYSTEM)


def test_a_revised_instant_changes_the_local_date(app: Flask, at_new_year: Post) -> None:
    """Every action that writes the instant writes the date."""
    draft = Draft(
        title="Late", body_markdown="x", published_at=NEW_YEAR - timedelta(days=40), slug="late"
    )
    post = actions.revise(
        at_new_year.id, draft, expected_version=at_new_year.version, now=NEW_YEAR, actor=SYSTEM
    )
    assert post.published_on == date(2025, 11, 21)
    post = actions.unpublish(post.id, expected_version=post.version, now=NEW_YEAR, actor=SYSTEM)
    assert post.published_on == date(2025, 11, 21)


def test_another_time_zone_changes_the_date_and_no_instant(app: Flask, at_new_year: Post) -> None:
    """The list and the date agree about the year, and the version stays."""
    version, post_id = at_new_year.version, at_new_year.id
    for zone, day in (
        ("Europe/Berlin", date(2026, 1, 1)),
        ("America/New_York", date(2025, 12, 31)),
    ):
        actions.change_site({"time_zone": zone}, actor=SYSTEM)
        db.session.expire_all()
        post = db.session.get_one(Post, post_id)
        assert (post.published_on, post.published_at, post.version) == (day, NEW_YEAR, version)
        assert [year.number for year in archive.years()] == [day.year]
        (listed,) = archive.year(day.year).posts  # type: ignore[union-attr]  # it has an article
        assert listed.local_date == day
        db.session.remove()
        page = app.test_client().get("/articles/late").text
        assert f"{day.day} {'January' if day.month == 1 else 'December'} {day.year}" in page
        assert app.test_client().get(f"/archive/{day.year}").status_code == 200
        assert app.test_client().get(f"/archive/{4051 - day.year}").status_code == 404


def test_a_row_without_a_local_date_is_listed_by_its_day_in_utc(
    app: Flask, at_new_year: Post
) -> None:
    """An older release, or SQL by hand, may have written it."""
    db.session.execute(sa.update(Post).values(published_on=None))
    db.session.commit()
    assert [year.number for year in archive.years()] == [2025]
    db.session.remove()
    assert "31 December 2025" in app.test_client().get("/articles/late").text


def test_dates_without_an_offset_are_in_the_time_zone_of_the_site(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A date alone is that day for the site's readers, wherever they are."""
    (tmp_path / "site.toml").write_text('title = "x"\ntime_zone = "America/New_York"\n')
    (tmp_path / "a.md").write_text("---\ntitle: A\ndate: 2026-01-01\n---\nText\n")
    import_folder(tmp_path, now=now)
    post = db.session.scalars(sa.select(Post)).one()
    assert post.published_on == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("column", "value", "purged", "others"),
    [
        ("accent", "#8a1c5b", ("/", "/articles/late", "/archive", "/favicon.ico"), ("/feed.xml",)),
        ("copyright", "© me", ("/", "/archive"), ("/feed.xml", "/favicon.ico", "/api/summary")),
        ("tagline", "New", ("/", "/feed.xml", "/api/summary"), ("/favicon.ico", "/sitemap.xml")),
        ("posts_per_page", 9, ("/archive",), ("/", "/articles/late", "/archive/2025", "/feed.xml")),
        (
            "time_zone",
            "Europe/Berlin",
            ("/articles/late", "/", "/archive"),
            ("/feed.xml", "/robots.txt"),
        ),
        ("time_zone", "America/New_York", (), ("/", "/articles/late", "/archive", "/archive/2025")),
        ("emoji", True, (), ("/", "/articles/late", "/feed.xml")),
    ],
)
def test_a_setting_purges_exactly_the_pages_that_show_it(
    make_app: Callable[..., Flask],
    column: str,
    value: Any,
    purged: tuple[str, ...],
    others: tuple[str, ...],
) -> None:
    """Each page is stored before the change, and is a HIT or rendered again after it."""
    app = make_app(EDGE_GATEWAY=True)
    with app.app_context():
        actions.save_site(SiteDraft(title="Mine"), expected_version=None, actor=SYSTEM)
        draft = Draft(title="Late", body_markdown="x", published_at=NEW_YEAR)
        post = actions.create(draft, now=NEW_YEAR, actor=SYSTEM)
        actions.publish(post.id, expected_version=post.version, now=NEW_YEAR, actor=SYSTEM)
        db.session.remove()
    client = app.test_client()

    def is_hit(path: str) -> bool:
        return "; hit" in client.get(path).headers["Cache-Status"]

    for path in (*purged, *others):
        client.get(path)
    assert all(map(is_hit, (*purged, *others)))
    with app.app_context():
        actions.change_site({column: value}, actor=SYSTEM)
        db.session.remove()
    assert {path for path in (*purged, *others) if not is_hit(path)} == set(purged)
