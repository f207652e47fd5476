from __future__ import annotations

import gzip

import brotli
import pytest

from app.edge.audit.content_decoding import MAX_DECODED_BYTES, DecodeError, decompress

PAGE = b"a page, a page, a page" * 50
BR, GZIP = brotli.compress(PAGE), gzip.compress(PAGE)


@pytest.mark.parametrize(
    ("body", "coding"),
    [(PAGE, ""), (PAGE, "identity"), (BR, "br"), (GZIP, "gzip"), (GZIP, "x-gzip")],
    ids=["none", "identity", "br", "gzip", "x-gzip"],
)
def test_a_body_is_unpacked(body: bytes, coding: str) -> None:
    """To what the page is."""
    assert decompress(body, coding) == PAGE


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (PAGE, "gzip"),
        (PAGE, "br"),
        (GZIP, "br"),
        (BR, "gzip"),
        (GZIP[:-9], "gzip"),
        (BR[:-3], "br"),
    ],
    ids=["no gzip", "no br", "gzip as br", "br as gzip", "half a gzip", "half a br"],
)
def test_what_is_not_in_its_coding_is_unreadable(body: bytes, coding: str) -> None:
    """As it is for a browser."""
    with pytest.raises(DecodeError):
        decompress(body, coding)


def test_a_coding_that_nobody_asked_for_is_unreadable() -> None:
    """The body can't be decoded."""
    with pytest.raises(DecodeError, match="'zstd'"):
        decompress(PAGE, "zstd")


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_what_was_cut_is_unpacked_as_far_as_it_goes(coding: str) -> None:
    """It was we who cut it."""
    body = GZIP if coding == "gzip" else BR
    assert PAGE.startswith(decompress(body[:-3], coding, is_truncated=True))


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_bomb_is_cut_off(coding: str) -> None:
    """A few bytes may unpack to a gigabyte."""
    zeros = bytes(4 * MAX_DECODED_BYTES)
    bomb = gzip.compress(zeros, 1) if coding == "gzip" else brotli.compress(zeros, quality=1)
    assert len(decompress(bomb, coding)) == MAX_DECODED_BYTES
