"""Pages that a change may affect: how long a copy may be fresh, and their URLs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.edge.pages.page import AffectedPage, sorted_urls

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("lifetime", "outcome"),
    [
        (MINUTE - timedelta(microseconds=1), False),
        (MINUTE, False),
        (MINUTE + timedelta(microseconds=1), True),
        (timedelta(0), False),
        (None, True),
    ],
)
def test_a_copy_outlives_a_span_if_it_is_fresh_for_longer(
    lifetime: timedelta | None, *, outcome: bool
) -> None:
    """A URL that a person purged has no recorded lifetime, so it outlives every span."""
    assert AffectedPage(id=1, url="/", tag="t", lifetime=lifetime).outlives(MINUTE) is outcome


def test_each_url_is_listed_once_and_sorted() -> None:
    """Variants of a page share its URL."""
    pages = [AffectedPage(id=n, url=url, tag="t") for n, url in enumerate(["/b", "/a", "/b"])]
    assert sorted_urls(pages) == ("/a", "/b")
