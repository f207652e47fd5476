"""Which responses the gateway compresses, and which bodies and ETags that gives."""

from __future__ import annotations

import gzip
import os

import brotli
import pytest

from app.edge.gateway import content_coding
from app.edge.gateway.stored_response import BodyInfo
from app.edge.http.cache_control import Directives
from app.edge.http.fields import HeaderFields
from tests.edge.gateway.store_contract import stored

TEXT = b"a long story " * 100
RANDOM = os.urandom(400)
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


def is_compressible(*pairs: tuple[str, str], status: int = 200) -> bool:
    """Return the decision for a response with these headers."""
    fields = HeaderFields(pairs)
    directives = Directives.parse(fields.lines("cache-control"))
    return content_coding.is_compressible(fields, directives, status=status)


@pytest.mark.parametrize(
    ("media_type", "compresses"),
    [
        ("text/html", True),
        ("text/x-anything", True),
        ("TEXT/HTML ; charset=utf-8", True),
        ("application/atom+xml", True),
        ("application/feed+json", True),
        ("application/geo+json", True),
        ("application/javascript", True),
        ("application/json", True),
        ("application/json ; charset=utf-8", True),
        ("application/ld+json", True),
        ("application/manifest+json", True),
        ("application/problem+json", True),
        ("application/rss+xml; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("application/xml", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("application/octet-stream", False),
        ("application/zip; name=text/html", False),
        ("application/json-seq", False),
        ("textual/html", False),
        ("", False),
    ],
)
def test_text_formats_are_compressed(media_type: str, *, compresses: bool) -> None:
    """The type is compared without its parameters and without regard to case."""
    assert is_compressible(("Content-Type", media_type)) is compresses


HTML = ("Content-Type", "text/html")


@pytest.mark.parametrize("status", [200, 203, 206, 301, 404, 410, 500])
def test_the_status_of_a_response_with_a_body_does_not_matter(status: int) -> None:
    """The caller decides which statuses it compresses."""
    assert is_compressible(HTML, status=status)


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_is_not_compressed(status: int) -> None:
    """There is nothing to compress."""
    assert not is_compressible(HTML, status=status)


@pytest.mark.parametrize(
    "pair",
    [
        ("Cache-Control", "no-transform"),
        ("Cache-Control", "max-age=9, No-Transform"),
        ("Cache-Control", "max-age=9 No-Transform"),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "identity"),
        ("Content-Digest", "sha-256=:AA==:"),
        ("Content-MD5", "AA=="),
        ("Digest", "sha-256=AA=="),
        ("Repr-Digest", "sha-256=:AA==:"),
    ],
    ids=" ".join,
)
def test_one_field_is_enough_to_forbid_compression(pair: tuple[str, str]) -> None:
    """A no-transform that can't be parsed counts, and so does each field with a digest."""
    assert not is_compressible(HTML, pair)


def test_a_field_for_this_cache_alone_forbids_compression_too() -> None:
    """The directives may come from CDN-Cache-Control, which Cache-Control does not repeat."""
    fields = HeaderFields([HTML, ("Cache-Control", "max-age=9")])
    directives = Directives.parse(["max-age=60, no-transform"])
    assert not content_coding.is_compressible(fields, directives, status=200)


def test_all_codings_of_a_text_restore_it() -> None:
    """Brotli comes first, because the order decides between equal weights."""
    encoded = content_coding.compress(TEXT)
    assert list(encoded) == ["br", "gzip"]
    assert {UNPACK[coding](body) for coding, body in encoded.items()} == {TEXT}


def test_one_content_gives_the_same_bytes_each_time() -> None:
    """An ETag identifies bytes, so a gzip header must contain no time stamp."""
    assert content_coding.compress(TEXT)["gzip"][4:8] == bytes(4)
    page = stored(bodies=(BodyInfo(coding="identity", length=len(TEXT)),))
    _, bodies = content_coding.compress_fast(page, TEXT, "gzip")
    assert bodies["gzip"][4:8] == bytes(4)


def test_only_codings_that_shorten_the_content_are_stored() -> None:
    """Random bytes become longer, and so does an empty body."""
    assert content_coding.compress(RANDOM) == {}
    assert content_coding.compress(b"") == {}


@pytest.mark.parametrize(
    "content",
    [
        content
        for length in range(1, 64)
        if len(gzip.compress(content := b"a" * length, 7)) == length
    ],
)
def test_a_coding_that_saves_no_byte_is_not_stored(content: bytes) -> None:
    """An equally long body would cost the reader the decoding for nothing."""
    assert "gzip" not in content_coding.compress(content)


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_the_first_reader_gets_one_body_with_its_own_etag(coding: str) -> None:
    """Its bytes differ from the stored ones, so its ETag must differ as well."""
    page = stored(bodies=(BodyInfo(coding="identity", length=len(TEXT), etag='"a"'),))
    quick, bodies = content_coding.compress_fast(page, TEXT, coding)
    assert UNPACK[coding](bodies[coding]) == TEXT
    assert list(bodies) == [coding]
    (body,) = quick.bodies
    assert body == BodyInfo(coding=coding, length=len(bodies[coding]), etag=f'"a;{coding}-quick"')


@pytest.mark.parametrize(
    ("accepted", "content"),
    [(None, TEXT), ("", TEXT), ("zstd", TEXT), ("br;q=0", TEXT), ("br", RANDOM), ("gzip", b"")],
)
def test_the_first_reader_gets_the_content_if_no_coding_helps(
    accepted: str | None, content: bytes
) -> None:
    """It is the stored response itself, with the ETag of the origin."""
    page = stored(bodies=(BodyInfo(coding="identity", length=len(content), etag='"a"'),))
    assert content_coding.compress_fast(page, content, accepted) == (page, {"identity": content})


def test_a_fast_coding_that_saves_no_byte_is_not_sent() -> None:
    """The length decides, also if both are equal."""
    content = next(
        content
        for length in range(1, 64)
        if len(gzip.compress(content := b"a" * length, 1, mtime=0)) == length
    )
    page = stored(bodies=(BodyInfo(coding="identity", length=len(content)),))
    assert content_coding.compress_fast(page, content, "gzip") == (page, {"identity": content})


def test_added_codings_come_before_the_identity_and_end_the_need_for_them() -> None:
    """Codings that the response had before are replaced; each body has an ETag of its own."""
    identity = BodyInfo(coding="identity", length=9, etag='W/"a"')
    old = BodyInfo(coding="gzip", length=8, etag='"old"')
    page = stored(bodies=(old, identity), needs_compression=True)
    result = content_coding.add_codings(page, {"br": 3, "gzip": 4})
    assert result.needs_compression is False
    assert result.bodies == (
        BodyInfo(coding="br", length=3, etag='W/"a;br"'),
        BodyInfo(coding="gzip", length=4, etag='W/"a;gzip"'),
        identity,
    )
    assert content_coding.add_codings(page, {}).bodies == (identity,)


@pytest.mark.parametrize(
    ("coding", "etag", "result"),
    [
        ("br", '"a"', '"a;br"'),
        ("br", 'W/"a"', 'W/"a;br"'),
        ("identity", '"a"', '"a"'),
        ("identity", None, None),
        ("br", None, None),
        ("br", "a", "a"),
    ],
)
def test_an_etag_names_its_coding(coding: str, etag: str | None, result: str | None) -> None:
    """The identity keeps the origin's tag, and a malformed tag is left as it is."""
    assert content_coding.etag_for_coding(coding, etag) == result
