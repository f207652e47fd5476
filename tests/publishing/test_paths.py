from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.paths import RESERVED, find_query_error, normal

SPELLINGS = {
    "capitals": ("/2014/09/15/Rust-1.0.html", "/2014/09/15/rust-1.0.html"),
    "a slash at its end": ("/about/", "/about"),
    "no slash at its start": ("2014/x", "/2014/x"),
    "doubled slashes": ("//a//b/", "/a/b"),
    "escapes": ("/caf%C3%A9%20au%20lait", "/café au lait"),
    "a whole address": ("https://example.com/A/?q=1#top", "/a"),
    "the home page": ("/", "/"),
    "a query of WordPress": ("https://example.com/?p=20", "/?p=20"),
    "a query behind the index file": ("/Index.php?page_id=3#top", "/index.php?page_id=3"),
    "a query with other parameters": ("/?utm_source=x&p=20&x=1&p=21", "/?p=20"),
    "parameters in another order": ("/?p=2&cat=A%20b", "/?cat=A+b&p=2"),
    "a blank parameter": ("/?p=&x=1", "/"),
    "a query elsewhere": ("/blog/?p=20", "/blog"),
    "dots that mean here": ("./a/./b", "/a/b"),
}


@pytest.mark.parametrize(("path", "expected"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_an_old_address_has_one_spelling(path: str, expected: str) -> None:
    """Lower case, decoded, no slash at its end; and a kept one stays as it is."""
    assert normal(path) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    ("address", "is_possible"),
    [
        ("/?p=20", True),
        ("/?p=20&x=1", True),
        ("/old", True),
        ("/old?utm_source=x", True),
        ("/old?", True),
        ("/?x=1", False),
        ("/blog/?p=20", False),
        ("/archives.php?id=5", False),
    ],
)
def test_a_query_counts_only_where_the_routes_read_it(address: str, *, is_possible: bool) -> None:
    """Elsewhere edges drop it, so a redirect would answer every query."""
    assert (find_query_error(address) == "") is is_possible


HOSTILE = ["/a\0b", "/a%00b", "/a/../b", "/a%2f..%2fb", "/a\\b", "/" + "x" * 500, "http://[oops/"]


@pytest.mark.parametrize("path", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_address_is_refused_in_a_sentence(path: str) -> None:
    """Nothing that no browser asks for is kept."""
    with pytest.raises(ValueError, match=r"^The address .*\.$"):
        normal(path)


def test_no_page_can_stand_where_the_site_has_a_route(app: Flask) -> None:
    """The first segment of every route is reserved; `/index.php` leaves `/index` to a page."""
    rules = {rule.rule for rule in app.url_map.iter_rules()} - {"/index.php"}
    firsts = {rule.split("/")[1].split(".")[0] for rule in rules}
    assert {first for first in firsts if first and not first.startswith("<")} <= RESERVED
    assert {"articles", "topics", "feed", "static", "studio"} <= RESERVED
