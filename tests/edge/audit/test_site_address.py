from __future__ import annotations

import pytest

from app.edge.audit.site_address import AuditError, SiteAddress

GOOD = {
    "a name": ("https://Example.org", "https://example.org"),
    "a slash at the end": ("https://example.org/", "https://example.org"),
    "the default port": ("http://example.org:80", "http://example.org"),
    "another port": ("http://example.org:8000", "http://example.org:8000"),
    "IPv4": ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    "IPv6": ("http://[::1]:8000", "http://[::1]:8000"),
    "IPv6 and the default port": ("https://[::1]", "https://[::1]"),
    "a name in another script": ("https://bücher.example", "https://xn--bcher-kva.example"),
}

BAD = {
    "no scheme": ("example.org", "has no scheme"),
    "a host and a port": ("example.org:8000", "has no scheme"),
    "another scheme": ("ftp://example.org", "Only http and https"),
    "a path": ("https://example.org/blog", "has a path or a query"),
    "a query": ("https://example.org?q=1", "has a path or a query"),
    "a user": ("https://root:secret@example.org", "a user name or a password"),
    "a user in a URL that is none": ("https://root:secret@[example.org", "is not valid"),
    "no host": ("https://", "has no valid host name"),
    "a host with a space": ("https://exa mple.org", "has no valid host name"),
    "a port that is none": ("https://example.org:http", "The port"),
    "a port that is too large": ("https://example.org:70000", "The port"),
    "nothing": ("", "has no scheme"),
}


@pytest.mark.parametrize(("text", "url"), GOOD.values(), ids=list(GOOD))
def test_an_address_has_one_spelling(text: str, url: str) -> None:
    """However it was typed."""
    assert SiteAddress.parse(text).url == url


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=list(BAD))
def test_what_is_wrong_is_said_in_a_sentence(text: str, sentence: str) -> None:
    """Without the password that was typed."""
    with pytest.raises(AuditError, match=sentence) as error:
        SiteAddress.parse(text)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("http://127.0.0.1", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("https://example.org", False),
    ],
    ids=["IPv4", "IPv6", "by name", "elsewhere"],
)
def test_the_machine_itself_is_known(text: str, *, here: bool) -> None:
    """An audit of a loopback address shows nothing about a CDN."""
    assert SiteAddress.parse(text).is_loopback is here


TARGETS = {
    "a path": ("/a?b=c", "/a?b=c"),
    "its own URL": ("https://example.org/a", "/a"),
    "its own URL with the port": ("https://example.org:443/a", "/a"),
    "an alias": ("http://127.0.0.1:8000/a", "/a"),
    "no path": ("https://example.org", "/"),
    "another host": ("https://other.example/a", None),
    "another scheme": ("http://example.org/a", None),
    "a host without a scheme": ("//other.example/a", None),
    "a script": ("javascript:alert(1)", None),
    "a control character": ("/a\x00b", None),
    "a space": ("/a b", None),
    "not ASCII": ("/ä", None),
    "no URL": ("https://[a/", None),
    "a port that is none": ("https://example.org:x/", None),
}


@pytest.mark.parametrize(("url", "target"), TARGETS.values(), ids=list(TARGETS))
def test_only_this_site_has_targets(url: str, target: str | None) -> None:
    """A link to any other host leads nowhere."""
    address = SiteAddress.parse("https://example.org", aliases=("http://127.0.0.1:8000",))
    assert address.request_target(url) == target
