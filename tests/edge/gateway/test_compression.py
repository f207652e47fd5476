from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import brotli
import pytest
from werkzeug.test import Client, TestResponse

from app.edge.gateway import compression
from app.edge.gateway.compression import MAX_SIZE, MIN_SIZE, Compression

TEXT = b"All the news that fits, and then some more of it. " * 400
PUBLIC = (("Cache-Control", "max-age=0, must-revalidate"), ("Content-Type", "text/html"))
TAGGED = (*PUBLIC, ("ETag", '"a"'))
Pairs = tuple[tuple[str, str], ...]
UNPACK: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}


def client(
    *headers: tuple[str, str],
    body: Iterable[bytes] = (TEXT,),
    status: str = "200 OK",
    length: int | None = -1,
) -> Client:
    """Return a client of an application that always sends this response."""
    chunks = body if not isinstance(body, tuple) else list(body)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        own = list(headers)
        if length is not None:
            size = sum(map(len, chunks)) if length < 0 else length
            own.append(("Content-Length", str(size)))
        start_response(status, own)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else chunks

    return Client(Compression(app))


def get(reader: Client, coding: str = "br, gzip", **fields: str) -> TestResponse:
    """Send a GET with this Accept-Encoding."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return reader.get("/", headers={"Accept-Encoding": coding, **headers})


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("br, gzip", "br"), ("gzip, deflate", "gzip"), ("br;q=0.1, gzip", "gzip"), ("*", "br")],
)
def test_a_public_page_is_compressed(accepted: str, coding: str) -> None:
    """It has its own ETag, one Vary line, and the length of the compressed body."""
    response = get(client(*TAGGED, ("Accept-Ranges", "bytes")), accepted)
    assert UNPACK[coding](response.data) == TEXT
    assert len(response.data) < len(TEXT) / 10
    assert response.headers["Content-Encoding"] == coding
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["ETag"] == f'"a;{coding}"'
    assert response.headers.getlist("Vary") == ["Accept-Encoding"]
    assert "Accept-Ranges" not in response.headers


@pytest.mark.parametrize(
    "accepted", ["", "identity", "br;q=0, gzip;q=0", "zstd", "identity, *;q=0"]
)
def test_a_reader_who_accepts_neither_gets_the_page_as_it_is(accepted: str) -> None:
    """Its Vary tells caches about the compressed variants."""
    response = get(client(*TAGGED), accepted)
    assert response.data == TEXT
    assert "Content-Encoding" not in response.headers
    assert response.headers["ETag"] == '"a"'
    assert response.headers.getlist("Vary") == ["Accept-Encoding"]


NEVER: dict[str, Pairs] = {
    "no-store": (("Cache-Control", "no-store"),),
    "private": (("Cache-Control", "private, max-age=60"),),
    "private fields": (("Cache-Control", 'private="X-A", max-age=60'),),
    "in a second line": (("Cache-Control", "max-age=60"), ("Cache-Control", "no-store")),
    "nothing said": (),
    "a cookie": (("Cache-Control", "max-age=60"), ("Set-Cookie", "a=1")),
    "vary on cookies": (("Cache-Control", "max-age=60"), ("Vary", "Accept-Encoding, Cookie")),
    "vary on authorization": (("Cache-Control", "max-age=60"), ("Vary", "authorization")),
    "vary on everything": (("Cache-Control", "max-age=60"), ("Vary", "*")),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_may_be_one_readers_own_is_not_compressed(name: str) -> None:
    """Its compressed length could reveal secrets; the response is unchanged."""
    response = get(client(*NEVER[name], ("Content-Type", "text/html"), ("ETag", '"a"')))
    assert response.data == TEXT
    assert "Content-Encoding" not in response.headers
    assert response.headers["ETag"] == '"a"'
    vary_values = [value for field, value in NEVER[name] if field == "Vary"]
    assert response.headers.getlist("Vary") == vary_values


def test_an_answer_to_credentials_is_not_compressed() -> None:
    """Its Cache-Control has no effect on that."""
    response = get(client(*TAGGED), Authorization="Basic YTpi")
    assert (response.data, "Vary" in response.headers) == (TEXT, False)


def test_an_answer_to_a_post_is_not_compressed() -> None:
    """It is for one reader only."""
    response = client(*PUBLIC).post("/", headers={"Accept-Encoding": "br"})
    assert response.data == TEXT


UNFIT: dict[str, Pairs] = {
    "an image": (("Content-Type", "image/png"),),
    "no type": (),
    "coded already": (("Content-Type", "text/html"), ("Content-Encoding", "gzip")),
    "no-transform": (("Content-Type", "text/html"), ("Cache-Control", "max-age=9, no-transform")),
    "a digest": (("Content-Type", "text/html"), ("Repr-Digest", "sha-256=:AA==:")),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_compression_does_not_suit_is_left_alone(name: str) -> None:
    """Its headers are unchanged too."""
    headers = [("Cache-Control", "max-age=60"), *UNFIT[name]]
    response = get(client(*headers))
    assert response.data == TEXT
    assert "Vary" not in response.headers


def test_what_is_small_is_left_alone() -> None:
    """It fits in one packet anyway."""
    small = b"a" * (MIN_SIZE - 1)
    assert get(client(*TAGGED, body=(small,))).data == small


def test_a_body_of_the_least_size_is_compressed() -> None:
    """The limits belong to the bodies that are compressed, and compressed at once."""
    assert brotli.decompress(get(client(*TAGGED, body=(b"a" * MIN_SIZE,))).data) == b"a" * MIN_SIZE
    response = get(client(*TAGGED, body=(b"a" * MAX_SIZE,)))
    assert brotli.decompress(response.data) == b"a" * MAX_SIZE
    assert response.headers["Content-Length"] == str(len(response.data))


@pytest.mark.parametrize(
    ("status", "compresses"),
    [
        ("200 OK", True),
        ("203 Non-Authoritative Information", True),
        ("300 Multiple Choices", True),
        ("404 Not Found", True),
        ("410 Gone", True),
        ("201 Created", False),
        ("301 Moved Permanently", False),
        ("400 Bad Request", False),
        ("500 Internal Server Error", False),
    ],
)
def test_pages_and_their_absence_are_compressed(status: str, *, compresses: bool) -> None:
    """Other statuses are short or rare; their responses do not vary either."""
    response = get(client(*TAGGED, status=status))
    assert response.status == status
    assert response.headers.get("Content-Encoding") == ("br" if compresses else None)
    assert response.headers.get("Vary") == ("Accept-Encoding" if compresses else None)
    assert (response.data == TEXT) is not compresses


def test_a_page_that_is_not_found_is_sent_although_its_etag_matches() -> None:
    """If-None-Match is evaluated only for a 200 (RFC 9110 section 13.2.1)."""
    response = get(client(*TAGGED, status="404 Not Found"), "br", If_None_Match='"a;br"')
    assert (response.status_code, brotli.decompress(response.data)) == (404, TEXT)


def test_a_page_without_an_etag_is_never_confirmed() -> None:
    """A star in If-None-Match matches any tag, but there is none."""
    for condition in ('"a;br"', "*"):
        assert get(client(*PUBLIC), "br", If_None_Match=condition).status_code == 200


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_head_gives_the_headers_of_get(coding: str) -> None:
    """All except the length, which is known only with a body (RFC 9110 section 9.3.2)."""
    reader = client(*TAGGED, length=len(TEXT))
    head = reader.head("/", headers={"Accept-Encoding": coding})
    whole = get(reader, coding)
    assert head.data == b""
    ignored = {"Content-Length", "Date"}
    assert [pair for pair in head.headers if pair[0] not in ignored] == [
        pair for pair in whole.headers if pair[0] not in ignored
    ]


@pytest.mark.parametrize(
    ("coding", "tag", "status"),
    [
        ("br", '"a;br"', 304),
        ("br", 'W/"a;br"', 304),
        ("br", '"x", "a;br"', 304),
        ("gzip", '"a;br"', 200),
        ("identity", '"a;br"', 200),
        ("br", '"b;br"', 200),
    ],
)
def test_a_tag_is_confirmed_for_its_coding(coding: str, tag: str, status: int) -> None:
    """A 304 has the tag and Vary, and no fields that describe a body."""
    described_pairs = (("Content-Language", "en"), ("Accept-Ranges", "bytes"))
    response = get(client(*TAGGED, *described_pairs), coding, If_None_Match=tag)
    assert response.status_code == status
    if status == 304:
        assert response.data == b""
        assert response.headers["ETag"] == '"a;br"'
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Cache-Control"] == "max-age=0, must-revalidate"
        assert "Accept-Ranges" not in response.headers
        described = {name for name, _ in response.headers if name.startswith("Content-")}
        assert not described


def test_a_304_of_the_application_varies_as_its_page_does() -> None:
    """Otherwise it would remove Vary from a stored response."""
    headers = (("Cache-Control", "max-age=0"), ("ETag", '"a"'), ("Vary", "Accept-Language"))
    response = get(client(*headers, body=(), status="304 Not Modified", length=None))
    assert response.status_code == 304
    assert response.headers.getlist("Vary") == ["Accept-Language, Accept-Encoding"]


def test_a_part_is_not_compressed() -> None:
    """It is a part of the uncompressed page, with its ETag."""
    headers = (*TAGGED, ("Content-Range", f"bytes 0-{len(TEXT) - 1}/99999"))
    response = get(client(*headers, status="206 Partial Content"), Range="bytes=0-")
    assert (response.status_code, response.data) == (206, TEXT)
    assert response.headers["ETag"] == '"a"'
    assert response.headers["Vary"] == "Accept-Encoding"


def test_a_part_of_an_image_does_not_vary() -> None:
    """A cache gets the whole image uncompressed as well."""
    headers = (("Cache-Control", "max-age=9"), ("Content-Type", "image/png"))
    response = get(client(*headers, status="206 Partial Content"), Range="bytes=0-")
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    "vary", ["accept-encoding", "Accept-Language", "Accept-Language, X-A", "DNT, DNT"]
)
def test_there_is_one_vary_line(vary: str) -> None:
    """Each name is listed once; some caches use only the last line."""
    response = get(client(*PUBLIC, ("Vary", vary), ("Vary", "Accept-Encoding")))
    (line,) = response.headers.getlist("Vary")
    names = [name.strip().lower() for name in line.split(",")]
    assert sorted(names) == sorted({*vary.lower().split(", "), "accept-encoding"})


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_stream_is_compressed_as_it_comes(coding: str) -> None:
    """Each chunk is sent before the next one is produced."""
    sent_chunks = []

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            sent_chunks.append(number)
            yield b"%d" % number * 5000

    reader = client(*PUBLIC, body=chunks(), length=None)
    response = reader.get("/", headers={"Accept-Encoding": coding}, buffered=False)
    parts = response.iter_encoded()
    decoder: Any = brotli.Decompressor() if coding == "br" else zlib.decompressobj(31)
    decode = decoder.process if coding == "br" else decoder.decompress
    assert decode(next(iter(parts))) == b"0" * 5000
    assert sent_chunks == [0]
    assert b"".join(map(decode, parts)) == b"1" * 5000 + b"2" * 5000
    assert "Content-Length" not in response.headers


def test_a_large_body_is_compressed_in_pieces() -> None:
    """It is never in memory as a whole."""
    pieces = tuple([TEXT] * (MAX_SIZE // len(TEXT) + 1))
    response = get(client(*PUBLIC, body=pieces))
    assert brotli.decompress(response.data) == b"".join(pieces)
    assert "Content-Length" not in response.headers


def test_a_large_body_is_not_flushed_for_each_of_its_pieces() -> None:
    """All of it is there, so the encoder decides how much it collects."""
    pieces = tuple([b"a" * 1000] * (MAX_SIZE // 1000 + 1))
    parts = list(get(client(*PUBLIC, body=pieces)).iter_encoded())
    assert len(parts) < len(pieces) / 10


def test_a_body_that_breaks_off_stays_broken() -> None:
    """A truncated page must not get a matching length."""
    response = get(client(*PUBLIC, length=len(TEXT) + 1))
    assert response.data == TEXT
    assert response.headers["Content-Length"] == str(len(TEXT) + 1)
    assert "Content-Encoding" not in response.headers


def test_a_stream_that_raises_raises() -> None:
    """The application's body is closed."""
    close_calls = []

    class Broken:
        def __iter__(self) -> Iterator[bytes]:
            yield TEXT
            raise OSError("the file is gone")

        def close(self) -> None:
            close_calls.append(True)

    response = get(client(*PUBLIC, body=Broken(), length=None))
    with pytest.raises(OSError, match="the file is gone"):
        list(response.iter_encoded())
    response.close()
    assert close_calls


def test_a_compressor_that_fails_costs_nobody_a_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page is sent uncompressed, and the error is logged."""

    def fail() -> None:
        raise MemoryError

    monkeypatch.setitem(compression._ENCODERS, "br", fail)
    with caplog.at_level(logging.ERROR):
        assert get(client(*PUBLIC)).data == TEXT
    assert "compression.failed" in caplog.text


def test_the_same_page_gives_the_same_bytes() -> None:
    """One ETag identifies one sequence of bytes."""
    for coding in ("br", "gzip"):
        assert len({get(client(*TAGGED), coding).data for _ in range(2)}) == 1
