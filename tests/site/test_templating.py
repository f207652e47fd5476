from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from app.publishing.models import Media, MediaFile
from app.site import templating


def test_an_instant_is_written_to_the_second() -> None:
    """The attribute `datetime` needs no more."""
    at = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
    assert templating.clock(at) == "05:06:07 UTC on 4 March 2026"
    assert templating.iso(at) == "2026-03-04T05:06:07+00:00"


def test_an_absolute_address_stays(app: Flask) -> None:
    """Only a path is put below SITE_URL."""
    assert templating.absolute("/a") == "http://127.0.0.1:8000/a"
    assert templating.absolute("https://example.com/a") == "https://example.com/a"


def test_an_image_without_files_is_none() -> None:
    """There is nothing to show."""
    assert templating.renditions(Media(files=[])) is None


def test_an_image_with_one_file_needs_no_srcset() -> None:
    """A drawing has one file for every width."""
    file = MediaFile(id=1, fingerprint="f" * 20, name="a.svg", width=300)
    assert templating.renditions(Media(files=[file])) == {
        "src": f"/media/{'f' * 20}/a.svg",
        "srcset": "",
    }
