from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.importing.folder import import_folder
from app.publishing.importing.image_fetcher import FetchLimits, ImageFetcher
from app.publishing.importing.report import Outcome, Report
from app.publishing.models import Media, Post, RemoteImage

from .test_folder import png, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FRONT = "---\ntitle: One\ndate: 2020-02-01\n---\n"
URL = "https://img.example/a.png"


class Site:
    """A site that answers requests for images, and remembers them."""

    def __init__(self, **pages: bytes | int) -> None:
        self.pages = pages
        self.requests: list[str] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Return the image whose name the path has, or the status."""
        self.requests.append(str(request.url))
        page = self.pages.get(request.url.path.strip("/").partition(".")[0], 404)
        if isinstance(page, int):
            return httpx.Response(page)
        return httpx.Response(200, content=page)

    def fetcher(self, image_bytes: int = 4096) -> ImageFetcher:
        """Return a fetcher that requests from this site."""
        return fetcher_of(self.respond, image_bytes)


def fetcher_of(
    respond: Callable[[httpx.Request], httpx.Response], image_bytes: int = 4096
) -> ImageFetcher:
    """Return a fetcher for the host img.example."""
    return ImageFetcher(
        hosts=frozenset({"img.example"}),
        transport=httpx.MockTransport(respond),
        limits=FetchLimits(image_bytes=image_bytes),
    )


def run(folder: Path, fetcher: ImageFetcher | None, *, dry_run: bool = False) -> Report:
    """Import the folder."""
    return import_folder(folder, now=NOW, fetcher=fetcher, dry_run=dry_run)


def post() -> Post:
    """Return the only post with its text."""
    db.session.rollback()
    return db.session.scalars(sa.select(Post)).one()


def test_images_of_a_named_host_are_fetched_once(app: Flask, tmp_path: Path) -> None:
    """Text, HTML and cover show the stored image; the second import requests nothing."""
    site = Site(a=png(), c=png("blue"))
    text = FRONT.replace("---\n", "---\ncover: https://img.example/c.png\n", 1)
    text += f'![A]({URL})\n\n<img src="{URL}">\n\n[link](https://img.example/page.png)\n'
    text += "\n![other](https://other.example/b.png)\n"
    write(tmp_path, {"one.md": text})
    report = run(tmp_path, site.fetcher())
    assert report.counts[Outcome.IMPORTED] == 1
    assert sorted(site.requests) == [URL, "https://img.example/c.png"]
    one = post()
    assert one.body_html.count('src="/media/') == 2
    assert URL not in one.body_markdown
    assert "https://img.example/page.png" in one.body_markdown
    assert "https://other.example/b.png" in one.body_markdown
    assert one.cover is not None
    assert [warning.sentence for warning in report.warnings] == [
        "the image https://other.example/b.png lies on another site and became a link"
    ]
    markdown = one.body_markdown
    for fetcher in (site.fetcher(), None):
        assert run(tmp_path, fetcher).counts[Outcome.UNCHANGED] == 1
    write(tmp_path, {"one.md": text + "\nMore.\n"})
    assert run(tmp_path, None).counts[Outcome.UPDATED] == 1
    assert post().body_markdown.startswith(markdown[:40])
    assert len(site.requests) == 2
    assert len(db.session.scalars(sa.select(RemoteImage)).all()) == 2


def test_a_post_that_was_imported_before_gets_its_images(app: Flask, tmp_path: Path) -> None:
    """The option works on a folder that has been imported without it."""
    write(tmp_path, {"one.md": f"{FRONT}![A]({URL})\n"})
    assert run(tmp_path, None).counts[Outcome.IMPORTED] == 1
    assert run(tmp_path, Site(a=png()).fetcher()).counts[Outcome.UPDATED] == 1
    assert 'src="/media/' in post().body_html


@pytest.mark.parametrize(
    ("reference", "page", "reason"),
    [
        (URL, 404, "the host responded 404"),
        (URL, b"<svg onload='x'/>", "was not fetched"),
        (URL, b"<html>", "The file is none of JPEG"),
        (URL, b"x" * 5000, "it has more than 0.00391 MiB"),
        ("https://img.example:8443/a.png", b"x", "the port 8443"),
        ("https://user:pw@img.example/a.png", b"x", "a user name"),
    ],
)
def test_an_image_that_can_not_be_fetched_is_named(
    app: Flask, tmp_path: Path, reference: str, page: bytes | int, reason: str
) -> None:
    """The text keeps the URL, and the report says why."""
    write(tmp_path, {"one.md": f"{FRONT}![A]({reference})\n![A]({reference})\n"})
    site = Site(a=page)
    report = run(tmp_path, site.fetcher(image_bytes=4096))
    assert report.counts[Outcome.IMPORTED] == 1
    assert reference in post().body_markdown
    assert site.requests == ([URL] if reference == URL else [])
    (warning,) = [one for one in report.warnings if "not fetched" in one.sentence]
    assert (warning.path, warning.line) == ("one.md", 5)
    assert reason in warning.sentence
    assert db.session.scalars(sa.select(Media)).all() == []


def test_a_dry_run_requests_nothing(app: Flask, tmp_path: Path) -> None:
    """It names what it would fetch."""
    write(tmp_path, {"one.md": f"{FRONT}![A]({URL})\n"})
    site = Site(a=png())
    report = run(tmp_path, site.fetcher(), dry_run=True)
    assert site.requests == []
    assert any("dry run requests nothing" in one.sentence for one in report.warnings)


def test_the_same_image_in_two_posts_is_requested_once(app: Flask, tmp_path: Path) -> None:
    """A failure is remembered for one import, a success for ever."""
    for name in ("one", "two", "three"):
        text = FRONT.replace("One", name)
        write(tmp_path, {f"{name}.md": f"{text}![A]({URL}) ![B](https://img.example/b.png)\n"})
    site = Site(a=png())
    run(tmp_path, site.fetcher())
    assert sorted(site.requests) == [URL, "https://img.example/b.png"]
