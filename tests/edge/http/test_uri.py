"""Percent-encoding of request targets, and which of them caches normalise."""

from __future__ import annotations

import pytest

from app.edge.http.uri import PLAIN_1738, has_one_spelling, percent_encoded, target_of

ENCODED = {
    "/a": "/a",
    "/~user": "/%7Euser",
    "/*": "/%2A",
    "/a?q=[1]|{2}": "/a?q=%5B1%5D%7C%7B2%7D",
    "/caf\u00e9": "/caf%C3%A9",
    "/caf%c3%a9": "/caf%c3%a9",
    "/100%": "/100%25",
    "/100%zz%41": "/100%25zz%41",
    "/a#b": "/a%23b",
    "/\ud800": "/%3F",
    "/a&b=c;d,e:@+$-_.!'()": "/a&b=c;d,e:@+$-_.!'()",
}


@pytest.mark.parametrize(("target", "encoded"), ENCODED.items())
def test_what_rfc_1738_calls_unsafe_is_encoded_once(target: str, encoded: str) -> None:
    """Nothing else is encoded, and existing percent-encoding stays."""
    assert percent_encoded(target, PLAIN_1738) == encoded
    assert percent_encoded(encoded, PLAIN_1738) == encoded


TARGETS = {
    "https://x.example/a?b": "/a?b",
    "https://x.example": "/",
    "/a?b#c": "/a?b#c",
    "//x.example/a": "//x.example/a",
    "a": "/a",
}


@pytest.mark.parametrize(("url", "target"), TARGETS.items())
def test_a_target_is_the_path_and_query_of_a_url(url: str, target: str) -> None:
    """A path that looks like a host, or that has a `#`, is not parsed."""
    assert target_of(url) == target


SPELLINGS = {
    ("/", ""): True,
    ("/a/b.html", "q=a%20b&c=%C3%A9"): True,
    ("/~user", ""): True,
    ("/\u00c3\u00a9", ""): True,
    ("/a*", ""): False,
    ("/a", "*"): False,
    ("/a/../b", ""): False,
    ("/a/.", ""): False,
    ("/a..b/.c", ""): True,
    ("/a", "q=[1]"): False,
    ("/a", "q=%c3%a9"): False,
    ("/a", "q=100%"): False,
    ("/a", 'q="'): False,
    ("/a", "x" * 1331): True,
    ("/a", "x" * 1332): False,
    ("/" + "x" * 1332, ""): True,
    ("/" + "x" * 1333, ""): False,
    ("/" + "x" * 700, "x" * 700): False,
    ("/a", "x" * 1400): False,
    ("/" + "x" * 1400, ""): False,
}


AS_SENT = {
    ("/about", "/about?q=1"): True,
    ("/about", "/%61bout"): False,
    ("/~user", "/%7Euser"): False,
    ("/\u00c3\u00a9", "/%C3%A9"): True,
    ("/\u00c3\u00a9", "/%c3%a9"): False,
    ("/a?b", "/a%3Fb"): True,
    ("/a", "http://x.example/a"): True,
    ("/a/http://x.example/b", "/a/http://x.example/b"): True,
    ("/a", ""): True,
}


@pytest.mark.parametrize(("path", "raw"), AS_SENT, ids=str)
def test_a_path_that_was_sent_in_another_spelling_is_another_url(path: str, raw: str) -> None:
    """A CDN stores it under that URL; for the application it is the same."""
    assert has_one_spelling(path, "", raw) is AS_SENT[path, raw]


@pytest.mark.parametrize(("path", "query"), SPELLINGS, ids=str)
def test_some_targets_are_spelt_alike_by_every_cache(path: str, query: str) -> None:
    """A purge by URL may miss the others."""
    assert has_one_spelling(path, query) is SPELLINGS[path, query]
