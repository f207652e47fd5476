"""The images that other sites show with a link, and the facts that go with them."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from app.publishing.looks.share_image import share_jpeg
from app.publishing.models import MediaFile, Post
from app.publishing.transaction import transaction
from app.site import share_images

from . import content
from .html import Page
from .test_theme import change, png

INDEXED = [
    *("/", "/articles/lanterns", "/articles/plain", "/about", "/topics", "/topics/harbour"),
    *("/topics/harbour/pages/1", "/authors", "/authors/ada", "/authors/ada/pages/1", "/archive"),
    *("/archive/pages/1", "/archive/2024"),
]
"""Every kind of page that search engines list."""


def graph_of(app: Flask, path: str) -> dict[str, str]:
    """Return the Open Graph properties of a page."""
    metas = Page(app.test_client().get(path).text).all("meta")
    return {meta["property"]: meta["content"] for meta in metas if "property" in meta}


def data_of(app: Flask, path: str) -> dict[str, dict[str, Any]]:
    """Return the schema.org data of a page, by type."""
    html = app.test_client().get(path).text
    scripts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    return {data["@type"]: data for data in map(json.loads, scripts)}


@pytest.mark.parametrize("path", INDEXED)
def test_a_page_names_a_share_image_with_its_true_size_and_a_text(
    site_app: Flask, path: str
) -> None:
    """The file has the 1200 by 630 pixels that the page states."""
    graph = graph_of(site_app, path)
    url = graph["og:image"].removeprefix("http://127.0.0.1:8000")
    answer = site_app.test_client().get(url)
    assert Image.open(BytesIO(answer.data)).size == (1200, 630)
    assert (graph["og:image:width"], graph["og:image:height"]) == ("1200", "630")
    assert graph["og:image:alt"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("path", INDEXED)
def test_search_engines_may_show_a_large_image_of_a_page(site_app: Flask, path: str) -> None:
    """The default is a small one."""
    metas = Page(site_app.test_client().get(path).text).all("meta")
    robots = [meta["content"] for meta in metas if meta.get("name") == "robots"]
    assert robots == ["max-image-preview:large"]


def test_the_image_of_an_article_is_cut_out_of_its_cover(site_app: Flask) -> None:
    """Its text is that of the cover; its address has the digest of the cover."""
    graph = graph_of(site_app, "/articles/lanterns")
    assert re.fullmatch(
        r"http://127\.0\.0\.1:8000/theme/covers/[0-9a-f]{20}\.jpg", graph["og:image"]
    )
    assert graph["og:image:alt"] == "What the picture shows"
    answer = site_app.test_client().get(graph["og:image"])
    assert answer.content_type == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_an_article_whose_cover_has_no_text_is_described_by_its_title(app: Flask) -> None:
    """The text of a share image is never empty."""
    content.post("Wheels", cover=True)
    with transaction() as session:
        session.execute(sa.update(Post).values(cover_alt=""))
    assert graph_of(app, "/articles/wheels")["og:image:alt"] == "Wheels"


def test_an_article_whose_cover_is_a_drawing_has_the_image_of_the_site(app: Flask) -> None:
    """Other sites do not show SVG."""
    content.post("Wheels", cover=True)
    with transaction() as session:
        session.execute(sa.update(MediaFile).values(content_type="image/svg+xml"))
        is_original = sa.select(MediaFile.fingerprint).where(MediaFile.original)
        path = f"/theme/covers/{session.scalar(is_original)}.jpg"
    assert "/theme/covers/" not in graph_of(app, "/articles/wheels")["og:image"]
    assert app.test_client().get(path).status_code == 404


@pytest.mark.parametrize("name", ["0" * 20, "short", "..", "%00" * 20])
def test_an_unknown_cover_has_no_share_image(app: Flask, name: str) -> None:
    """Nothing is drawn for it."""
    assert app.test_client().get(f"/theme/covers/{name}.jpg").status_code in {400, 404}


def test_a_rendition_has_no_share_image_of_its_own(site_app: Flask) -> None:
    """Only the original does, so that a cover has one address."""
    html = site_app.test_client().get("/articles/lanterns").text
    fingerprints = set(re.findall(r"/media/(\w{20})/a-\d+\.jpg", html))
    statuses = [
        site_app.test_client().get(f"/theme/covers/{one}.jpg").status_code for one in fingerprints
    ]
    assert statuses.count(200) == statuses.count(404) == len(fingerprints) / 2 > 0


def test_a_given_image_of_other_proportions_is_cut(app: Flask) -> None:
    """A square photo is shown whole by no other site."""
    change(app, {"social_image": png((500, 500))}, title="Wheel")
    graph = graph_of(app, "/")
    assert "/theme/covers/" in graph["og:image"]
    assert (graph["og:image:width"], graph["og:image:alt"]) == ("1200", "Wheel")


def test_a_given_image_states_its_own_size(app: Flask) -> None:
    """One with the right proportions is used as it is."""
    change(app, {"social_image": png((600, 315))}, title="Wheel")
    graph = graph_of(app, "/")
    assert (graph["og:image:width"], graph["og:image:height"]) == ("600", "315")


SIZES = [(3000, 200), (200, 3000), (1, 1), (1200, 630)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK"])
def test_a_share_image_has_its_size_whatever_the_cover_is(size: tuple[int, int], mode: str) -> None:
    """Wide, tall, tiny, with transparency, with a palette."""
    file = BytesIO()
    Image.new(mode, size).save(file, "TIFF")
    image = Image.open(BytesIO(share_jpeg(file.getvalue())))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1200, 630))


LOCALES = [("en", "en_US"), ("de-CH", "de_CH"), ("ja", "ja_JP")]


@pytest.mark.parametrize(("language", "expected"), LOCALES)
def test_a_page_states_its_language_to_other_sites(
    app: Flask, language: str, expected: str
) -> None:
    """An article in another language states that one."""
    content.post("Ours")
    content.post("Theirs")
    change(app, language=language)
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "theirs").values(language="fr-CA"))
    assert graph_of(app, "/")["og:locale"] == expected
    assert graph_of(app, "/articles/ours")["og:locale"] == expected
    assert graph_of(app, "/articles/theirs")["og:locale"] == "fr_CA"


def test_the_front_page_describes_the_site_and_its_publisher(app: Flask) -> None:
    """With logo and profiles, where they are set."""
    profiles = ["https://mastodon.example/@wheel"]
    change(app, {"logo": png((90, 30))}, title="Wheel", profiles=profiles, description="Of wheels.")
    data = data_of(app, "/")["WebSite"]
    assert (data["name"], data["url"]) == ("Wheel", "http://127.0.0.1:8000/")
    assert (data["description"], data["inLanguage"]) == ("Of wheels.", "en")
    publisher = data["publisher"]
    assert (publisher["@type"], publisher["name"]) == ("Organization", "Wheel")
    assert publisher["sameAs"] == profiles
    assert (publisher["logo"]["width"], publisher["logo"]["height"]) == (90, 30)
    assert app.test_client().get(publisher["logo"]["url"]).status_code == 200


def test_an_article_names_its_publisher_and_its_site(site_app: Flask) -> None:
    """By the same identifiers as the front page."""
    home = data_of(site_app, "/")["WebSite"]
    article = data_of(site_app, "/articles/lanterns")["Article"]
    assert article["publisher"] == home["publisher"]
    assert article["isPartOf"]["@id"] == home["@id"]
    assert article["keywords"] == ["Harbour", "Light"]


TRAILS = {
    "/articles/lanterns": ["/", "/topics/harbour", "/articles/lanterns"],
    "/articles/plain": ["/", "/articles/plain"],
    "/about": ["/", "/about"],
    "/topics": ["/", "/topics"],
    "/topics/harbour": ["/", "/topics", "/topics/harbour"],
    "/topics/harbour/pages/1": ["/", "/topics", "/topics/harbour", "/topics/harbour/pages/1"],
    "/authors/ada": ["/", "/authors", "/authors/ada"],
    "/authors/ada/pages/1": ["/", "/authors", "/authors/ada", "/authors/ada/pages/1"],
    "/archive/2024": ["/", "/archive", "/archive/2024"],
    "/archive/pages/1": ["/", "/archive", "/archive/pages/1"],
}


@pytest.mark.parametrize(("path", "expected"), TRAILS.items(), ids=[*TRAILS])
def test_a_page_states_the_way_from_the_front_page(
    site_app: Flask, path: str, expected: list[str]
) -> None:
    """Each step is a page with a name; the positions count from 1."""
    steps = data_of(site_app, path)["BreadcrumbList"]["itemListElement"]
    paths = [step["item"].removeprefix("http://127.0.0.1:8000") for step in steps]
    assert paths == expected
    assert [step["position"] for step in steps] == [*range(1, len(steps) + 1)]
    assert all(step["name"] for step in steps)
    assert {site_app.test_client().get(each).status_code for each in paths} == {200}


def test_a_title_can_not_leave_the_structured_data(app: Flask) -> None:
    """A script element ends at the first `</script>`."""
    content.post("Odd", summary="x")
    with transaction() as session:
        session.execute(sa.update(Post).values(title="</script><b>&'\""))
    assert data_of(app, "/articles/odd")["Article"]["headline"] == "</script><b>&'\""


def test_a_stored_image_that_can_not_be_decoded_is_not_found(app: Flask) -> None:
    """SQL from outside may have altered it; the page of the article is not affected."""
    with transaction() as session:
        media = content.image(session, "oak")
        session.flush()
        path = share_images.image_of_post(Post(title="A", cover=media, cover_alt="Oak"))
        for file in media.files:
            file.content = b"no image"
    assert path is not None
    assert app.test_client().get(path.path).status_code == 404
