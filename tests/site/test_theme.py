"""The files that are made from the settings of the site, and the pages that show them."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from app.extensions import db
from app.publishing import actions
from app.publishing.permissions import SYSTEM

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 50"><path d="M0 0h9"/></svg>'


def png(size: tuple[int, int]) -> bytes:
    """Return an image."""
    file = BytesIO()
    Image.new("RGB", size, "#0000ff").save(file, "PNG")
    return file.getvalue()


def change(app: Flask, images: dict[str, bytes] | None = None, **settings: Any) -> str:
    """Change the settings of the site, and return the front page."""
    with app.app_context():
        for name, content in (images or {}).items():
            settings[f"{name}_id"] = actions.add_media(
                content, f"{name}.img", now=NOW, actor=SYSTEM
            ).id
        actions.change_site(settings, actor=SYSTEM)
        db.session.remove()
    return app.test_client().get("/").text


def theme_paths(page: str) -> list[str]:
    """Return the addresses of made files on a page."""
    return list(dict.fromkeys(re.findall(r"/theme/[^\"]+", page)))


def test_a_site_without_looks_has_the_files_of_the_project(app: Flask) -> None:
    """Nothing is made for it."""
    page = app.test_client().get("/").text
    assert theme_paths(page) == []
    assert "favicon.svg" in page
    assert "img/share.jpg" in page
    manifest = app.test_client().get("/site.webmanifest")
    assert manifest.content_type == "application/manifest+json"
    assert [icon["sizes"] for icon in json.loads(manifest.data)["icons"]] == ["192x192", "512x512"]
    for icon in json.loads(manifest.data)["icons"]:
        assert app.test_client().get(icon["src"]).status_code == 200


def test_every_address_on_the_page_is_there_for_a_year_and_has_its_type(app: Flask) -> None:
    """Style sheet, icon as SVG and PNG, social image."""
    page = change(app, title="Ada", accent="#8a1c5b")
    types = []
    for path in theme_paths(page):
        response = app.test_client().get(path)
        assert (response.status_code, response.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )
        types.append(response.content_type)
    assert types == ["text/css; charset=utf-8", "image/svg+xml", "image/png", "image/png"]


def test_another_colour_changes_every_address_and_the_old_ones_are_gone(app: Flask) -> None:
    """An address never shows other bytes."""
    old = theme_paths(change(app, title="Ada", accent="#8a1c5b"))
    new = theme_paths(change(app, accent="#0f6a64"))
    assert not {*old} & {*new}
    assert {app.test_client().get(path).status_code for path in old} == {404}


@pytest.mark.parametrize(
    "path",
    [
        "/theme/0123456789abcdef.css",
        "/theme/0123456789abcdef/icon.svg",
        "/theme/0123456789abcdef/icon-180.png",
        "/theme/0123456789abcdef/icon-181.png",
        "/theme/0123456789abcdef/social.png",
        "/theme/short.css",
    ],
)
def test_an_unknown_digest_or_size_is_not_found(app: Flask, path: str) -> None:
    """Nothing is drawn for it."""
    change(app, title="Ada", accent="#8a1c5b")
    assert app.test_client().get(path).status_code == 404


def test_a_logo_stands_for_the_name_with_its_dark_twin(app: Flask) -> None:
    """The name is its alternative text; its size is stated."""
    images = {"logo": SVG % 200, "logo_dark": SVG % 200}
    page = change(app, images, title='The "Wheel"')
    assert re.search(
        r'<img class="logo" src="/media/\w{20}/logo.svg" width="200" height="50"'
        r' alt="The &#34;Wheel&#34;">',
        page,
    )
    assert 'media="(prefers-color-scheme: dark)"' in page


def test_a_logo_whose_image_was_deleted_is_replaced_by_the_name(app: Flask) -> None:
    """SQL from outside may delete the row, where the database does not enforce foreign keys."""
    change(app, {"logo": png((90, 30))}, title="Wheel")
    with app.app_context():
        path = db.engine.url.database
        db.session.remove()
    assert path is not None
    with closing(sqlite3.connect(path)) as shell, shell:
        shell.execute("DELETE FROM media_file")
        shell.execute("DELETE FROM media")
    page = app.test_client().get("/").text
    assert 'class="logo"' not in page
    assert "Wheel</a>" in page


def test_a_square_svg_is_the_icon_itself(app: Flask) -> None:
    """Its PNG twin has the first letter, since a drawing is not rendered here."""
    page = change(app, {"logo": SVG % 50}, title="Wheel")
    assert re.search(r'<link rel="icon" href="/media/\w{20}/logo.svg" type="image/svg\+xml">', page)
    assert app.test_client().get("/favicon.ico").data[:4] == b"\0\0\1\0"


def test_an_icon_that_is_a_photo_has_no_svg(app: Flask) -> None:
    """The PNG shows it."""
    page = change(app, {"icon": png((300, 300))}, title="Wheel")
    assert 'type="image/svg+xml"' not in page
    (path,) = re.findall(r'apple-touch-icon" href="([^"]+)"', page)
    image = Image.open(BytesIO(app.test_client().get(path).data)).convert("RGB")
    assert (image.size, image.getpixel((90, 90))) == ((180, 180), (0, 0, 255))


def test_a_given_social_image_wins(app: Flask) -> None:
    """On every page without a cover."""
    page = change(app, {"social_image": png((120, 63))}, title="Wheel")
    assert re.search(r'og:image" content="http://[^"]+/media/\w{20}/social-image.png"', page)


def test_the_footer_shows_text_links_profiles_and_the_copyright_line(app: Flask) -> None:
    """Text and addresses are escaped; a profile is verified by rel="me"."""
    page = change(
        app,
        title="Wheel",
        footer_text="Printed *daily*. <script>alert(1)</script>",
        footer_links=[{"text": "A & B", "url": "/a?b=1&c=2"}],
        profiles=["https://mastodon.example/@wheel"],
        copyright="© <b>me</b>",
    )
    assert "Printed <em>daily</em>." in page
    assert "alert(1)</script>" not in page
    assert '<a href="/a?b=1&amp;c=2" dir="auto">A &amp; B</a>' in page
    assert 'href="https://mastodon.example/@wheel" rel="me"' in page
    assert "© &lt;b&gt;me&lt;/b&gt;</p>" in page
    assert " style=" not in page


def test_posts_per_page_decides_how_the_archive_is_numbered(app: Flask) -> None:
    """The API keeps its own size."""
    with app.app_context():
        for number in range(6):
            draft = actions.Draft(title=f"Post {number}", body_markdown="x")
            post = actions.create(draft, now=NOW, actor=SYSTEM)
            actions.publish(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
        db.session.remove()
    change(app, title="Wheel", posts_per_page=5)
    client = app.test_client()
    assert client.get("/archive/pages/1").text.count('<article class="row') == 5
    assert len(client.get("/api/posts/pages/1").get_json()["posts"]) == 6
