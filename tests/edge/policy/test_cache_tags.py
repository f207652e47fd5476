"""Cache tags that are valid at every edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import PolicyError
from app.edge.policy.cache_tags import format_tags, page_tag
from app.edge.policy.cdn_headers import parse_dialects


@given(st.text(), st.text(), st.text(), st.text())
def test_two_pages_have_two_tags(site: str, url: str, site2: str, url2: str) -> None:
    """Site and URL are hashed with their lengths, so they can't be confused."""
    same = (site, url) == (site2, url2)
    assert (page_tag(site, url, key=b"k") == page_tag(site2, url2, key=b"k")) == same


def test_a_tag_needs_the_key() -> None:
    """It can't be guessed, and it is valid at every edge."""
    tag = page_tag("https://x.example", "/articles/a", key=b"one")
    assert tag != page_tag("https://x.example", "/articles/a", key=b"two")
    assert format_tags([tag], parse_dialects("fastly")) == (("Surrogate-Key", tag),)


def test_each_dialect_gets_tags_in_its_own_header() -> None:
    """Comma or space, each tag once; nginx has none."""
    lines = format_tags(["a", "b", "a"], parse_dialects("cloudflare, fastly, bunny, nginx"))
    assert dict(lines) == {"Cache-Tag": "a,b", "Surrogate-Key": "a b", "CDN-Tag": "a,b"}
    assert format_tags([], parse_dialects("cloudflare")) == ()


@pytest.mark.parametrize("tag", ["", "A", "a:b", "a b", "a,b", "a\n", "é", "a" * 65])
def test_a_tag_that_an_edge_would_mangle_is_refused(tag: str) -> None:
    """Two edges ignore case, some reject a colon."""
    with pytest.raises(PolicyError, match="not a valid cache tag"):
        format_tags([tag], parse_dialects("cloudflare"))


def test_a_tag_is_the_same_in_every_release() -> None:
    """Edges keep pages under the tags of an earlier release; another tag would not purge them."""
    tag = page_tag("https://x.example", "/articles/a", key=b"one")
    assert tag == "p-1df28e93f388f40b63e21840"


def test_the_longest_tag_is_accepted() -> None:
    """64 characters, of every kind that is allowed."""
    tag = "az09-_".ljust(64, "a")
    assert format_tags([tag], parse_dialects("cloudflare")) == (("Cache-Tag", tag),)
