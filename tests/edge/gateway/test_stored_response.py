from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.gateway.stored_response import StoredFormatError, decode, encode
from tests.edge.gateway.store_contract import stored

texts = st.text(st.characters(max_codepoint=255), max_size=30)


@given(
    headers=st.lists(st.tuples(texts, texts), max_size=4).map(tuple),
    vary=st.lists(st.tuples(texts, st.none() | texts), max_size=4).map(tuple),
    generated_at=st.floats(min_value=0, max_value=2**33),
)
def test_what_is_encoded_is_decoded_the_same(
    headers: object, vary: object, generated_at: float
) -> None:
    """Every value is decoded unchanged."""
    response = stored(headers=headers, vary=vary, generated_at=generated_at)
    assert decode(encode(response)) == response
    assert decode(encode(response)).representations == response.representations


GOOD = encode(stored())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00" * 500, id="zeroes"),
        pytest.param(GOOD[:-1], id="torn-at-the-end"),
        pytest.param(GOOD[:10], id="torn-at-the-start"),
        pytest.param(GOOD + b"x", id="longer"),
        pytest.param(GOOD[:40] + b"\x00" + GOOD[41:], id="one-byte-changed"),
        pytest.param(GOOD.replace(b"stored 4", b"stored 3"), id="another-version"),
    ],
)
def test_foreign_and_torn_bytes_are_told_apart(data: bytes) -> None:
    """Bytes that `encode` did not write completely are rejected with a sentence."""
    with pytest.raises(StoredFormatError, match="stored"):
        decode(data)


@given(st.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Any other bytes raise StoredFormatError and nothing else."""
    with pytest.raises(StoredFormatError):
        decode(data)


def test_an_answer_is_ready_to_be_sent() -> None:
    """Each body has its own ETag, length and coding; a 304 does not describe the content."""
    answer = stored().representations["gzip"]
    assert ("ETag", '"a;gzip"') in answer.headers
    assert ("Content-Encoding", "gzip") in answer.headers
    assert ("Content-Length", "9") in answer.headers
    assert answer.not_modified == [("X-Latin", "caf\xe9"), ("ETag", '"a;gzip"')]
    assert not any(name == "Cache-Tag" for name, _ in answer.headers)
