"""Find the registered URL of a page from its URL or path."""

from __future__ import annotations

import pytest

from app.edge.flask.page_url import parse_page_url
from app.edge.policy.policy import PolicyError

SITE = "https://example.org"
MEANT = {
    "a path": ("/about", "/about"),
    "the whole URL": ("https://example.org/about", "/about"),
    "another scheme": ("http://EXAMPLE.org/about#top", "/about"),
    "no slash": ("about", "/about"),
    "two slashes": ("https://example.org//about", "/about"),
    "letters beyond ASCII": ("/tags/été", "/tags/%C3%A9t%C3%A9"),
    "the same, as a browser sends them": ("/tags/%C3%A9t%c3%a9", "/tags/%C3%A9t%C3%A9"),
    "a tracker": ("/search?utm_source=x&q=a", "/search?q=a"),
}


@pytest.mark.parametrize(("url", "page"), MEANT.values(), ids=MEANT)
def test_a_page_is_found_as_it_is_registered(url: str, page: str) -> None:
    """A purge by hand then finds the page."""
    assert parse_page_url(url, SITE) == page


NOWHERE = {
    "nothing": "",
    "another host": "https://example.com/about",
    "another host without a scheme": "//example.com/about",
    "another port": "https://example.org:8443/about",
    "a port that is none": "https://example.org:99999/",
    "an address that is none": "http://[bad",
}


@pytest.mark.parametrize("url", NOWHERE.values(), ids=NOWHERE)
def test_a_page_of_nobody_is_refused(url: str) -> None:
    """The URL is not a page of this site."""
    with pytest.raises(PolicyError, match=r"is not a (page of|valid URL)"):
        parse_page_url(url, SITE)
