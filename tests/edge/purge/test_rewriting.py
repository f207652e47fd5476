"""Which differences count as rewriting, and what is stored about the public edge."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from app.edge.purge.rewriting import MAX_PAGES, Memory, differences, rewritten_by_etag

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PAGE = b"<html><body><h1>A title</h1><a href=mailto:a@b.example>a@b.example</a></body></html>"
OTHER = b"<html><body><h1>Another</h1><a href=mailto:c@d.example>c@d.example</a></body></html>"


def scripted(page: bytes, token: bytes) -> bytes:
    """Return a page to which an edge has added a script."""
    return page.replace(b"</body>", b"<script>r:'" + token + b"'</script></body>")


def obfuscated(page: bytes, code: bytes) -> bytes:
    """Return a page whose e-mail addresses an edge has obfuscated."""
    start, end = page.index(b"<a href"), page.index(b"</a>")
    link = b"<a href=/cdn-cgi/l/email-protection#" + code + b">[protected]"
    return page[:start] + link + page[end:]


ALIKE = {
    "a script": (scripted(PAGE, b"8f3a9c1d2e"), scripted(OTHER, b"17b0c4d9ee")),
    "addresses": (obfuscated(PAGE, b"3d5c1f9a00"), obfuscated(OTHER, b"77aa01bc2d")),
    "lines before": (b"# managed\n" + PAGE, b"# managed\n" + OTHER),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_the_same_rewriting_of_two_pages_is_one_kind(one: bytes, other: bytes) -> None:
    """Its position in the page and its codes do not matter."""
    kinds = differences(PAGE, one)
    assert kinds
    assert kinds == differences(OTHER, other)


OLDER = {
    "another title": (b"A title", b"Older title"),
    "another number": (b"A title", b"3 comments"),
    "a part that is gone now": (b"<h1>", b"<p>Withdrawn.</p><h1>"),
    "a part that is new": (b"<h1>A title</h1>", b""),
}


@pytest.mark.parametrize(("new", "old"), OLDER.values(), ids=OLDER)
def test_an_older_page_differs_in_another_way_than_rewriting(new: bytes, old: bytes) -> None:
    """This holds for a page that is old and rewritten too."""
    known_memory = Memory().with_rewritten("/", differences(PAGE, scripted(PAGE, b"8f3a9c1d2e")))
    received = scripted(PAGE.replace(new, old), b"17b0c4d9ee")
    assert known_memory.explains(differences(PAGE, scripted(PAGE, b"0011223344")))
    assert not known_memory.explains(differences(PAGE, received))
    assert not known_memory.explains(differences(PAGE, PAGE))


def test_a_large_difference_is_one_kind() -> None:
    """Comparing it in detail would take too long."""
    one, other = (b"".join(b"<p>%d%s" % (n, end) for n in range(5000)) for end in (b"a", b"b"))
    assert len(differences(one, other)) == 1


OURS = f'"{hashlib.blake2b(PAGE, digest_size=16).hexdigest()}"'
OLD = f'"{hashlib.blake2b(OTHER, digest_size=16).hexdigest()}"'
ETAGS = {
    "passed on": (OURS, OURS, True),
    "made weak": (OURS, f"W/{OURS}", True),
    "an older page's": (OURS, OLD, False),
    "the edge's own": (OURS, '"65a-5f"', None),
    "none": (OURS, "", None),
    "the view's own": ('"v1"', '"v1"', None),
}


@pytest.mark.parametrize(("fresh", "received_etag", "expected"), ETAGS.values(), ids=ETAGS)
def test_etags_are_conclusive_if_they_are_digests(
    fresh: str, received_etag: str, expected: bool | None
) -> None:
    """ETags that a view or an edge creates are not conclusive."""
    assert rewritten_by_etag(fresh, PAGE, received_etag) is expected


def test_stored_observations_are_limited() -> None:
    """The oldest page is dropped; without pages, all kinds are dropped."""
    memory = Memory()
    for number in range(MAX_PAGES + 5):
        memory = memory.with_suspicion(f"/{number}", frozenset({"a"}), NOW)
    assert len(memory.suspicions) == MAX_PAGES
    assert memory.suspicion_of_same(f"/{MAX_PAGES}", frozenset({"a"})) is not None
    assert memory.suspicion_of_same("/0", frozenset({"a"})) is None
    for number in range(MAX_PAGES + 5):
        memory = memory.with_rewritten(f"/{number}", frozenset({"a"}))
    assert len(memory.pages) == MAX_PAGES
    for page in memory.pages:
        memory = memory.with_fresh(page)
    assert (memory.kinds, memory.to_text()) == (frozenset(), "")


def test_a_suspicion_is_of_one_page_and_one_difference() -> None:
    """Known rewriting is ignored in the comparison."""
    memory = Memory().with_suspicion("/a", frozenset({"x", "y"}), NOW + timedelta(minutes=1))
    assert memory.suspicion_of_same("/a", frozenset({"x"})) is None
    assert memory.suspicion_of_same("/b", frozenset({"x", "y"})) is None
    known_memory = memory.with_rewritten("/c", frozenset({"y"}))
    assert known_memory.suspicion_of_same("/a", frozenset({"x"})) is not None
