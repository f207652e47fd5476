from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import brotli
import pytest

from app.edge.gateway.gateway import Gateway
from app.edge.gateway.options import Options
from app.edge.gateway.store.base import SaveResult
from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.scripted_origin import environ_for, get

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXT = b"a long story " * 100
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
CODINGS = pytest.mark.parametrize("coding", ["br", "gzip"])


def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
    """Return a page that any cache may store."""
    headers = [("Content-Type", "text/html"), ("ETag", '"a"'), ("Cache-Control", "max-age=60")]
    start_response("200 OK", headers)
    return [TEXT]


class Reader:
    """One request over a connection; `close` is when the server has sent everything."""

    def __init__(self, gateway: Gateway, coding: str | None) -> None:
        received: dict[str, str] = {}
        wish = {} if coding is None else {"Accept-Encoding": coding}

        def start(_status: str, headers: Any, _: Any = None) -> Any:
            received.update(headers)

        self._parts = gateway(environ_for(get(headers=wish)), start)
        self.body = b"".join(self._parts)
        self.headers = received
        self.status = received["Cache-Status"].partition("; ")[2]
        assert UNPACK[received.get("Content-Encoding")](self.body) == TEXT

    def close(self) -> None:
        """Close the body, as the server does after sending it."""
        getattr(self._parts, "close", int)()


@pytest.fixture
def store() -> MemoryStore:
    """Return an empty store."""
    return MemoryStore()


@pytest.fixture
def gateway(store: MemoryStore) -> Gateway:
    """Return a gateway that compresses."""
    return Gateway(app, store=store, options=Options(compress=True))


@CODINGS
def test_who_waits_for_a_page_gets_it_packed_quickly(gateway: Gateway, coding: str) -> None:
    """These bytes differ from the stored ones, so they have another ETag."""
    first_reader = Reader(gateway, coding)
    assert first_reader.headers["Content-Encoding"] == coding
    assert first_reader.headers["ETag"] == f'"a;{coding}-quick"'
    assert int(first_reader.headers["Content-Length"]) == len(first_reader.body) < len(TEXT) / 5
    assert "Accept-Encoding" in first_reader.headers["Vary"]


@CODINGS
def test_a_page_is_packed_once_its_reader_is_served(gateway: Gateway, coding: str) -> None:
    """Later readers get the better codings."""
    Reader(gateway, None).close()
    served = Reader(gateway, coding)
    assert served.headers["ETag"] == f'"a;{coding}"'
    assert served.headers["Content-Encoding"] == coding


@CODINGS
def test_before_that_a_hit_is_the_page_as_it_is(gateway: Gateway, coding: str) -> None:
    """A hit before compression is uncompressed, but already has Vary."""
    first_reader = Reader(gateway, None)
    early = Reader(gateway, coding)
    assert early.status.startswith("hit")
    assert (early.headers["ETag"], early.body) == ('"a"', TEXT)
    assert early.headers["Vary"] == "Accept-Encoding"
    first_reader.close()


def test_a_page_left_unpacked_is_packed_after_a_hit(store: MemoryStore) -> None:
    """The process that should have compressed it has died."""
    Reader(Gateway(app, store=store, options=Options(compress=True)), None)
    gateway = Gateway(app, store=store, options=Options(compress=True))
    Reader(gateway, "br").close()
    assert Reader(gateway, "br").headers["ETag"] == '"a;br"'


def test_a_page_purged_while_it_is_sent_does_not_come_back(
    gateway: Gateway, store: MemoryStore
) -> None:
    """Compression stores nothing for a purged page."""
    first_reader = Reader(gateway, "br")
    gateway.purge("http://example.org/")
    first_reader.close()
    assert Reader(gateway, "br").status == "fwd=uri-miss; stored"


class PurgedWhilePacking(MemoryStore):
    """A store whose page is purged between reading and saving for compression."""

    result: SaveResult | None = None

    def add_codings(
        self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Purge the page, then add the codings."""
        self.purge(key)
        self.result = super().add_codings(key, name, bodies, token=token)
        return self.result


def test_a_page_purged_while_it_is_packed_does_not_come_back() -> None:
    """The token was read before the content."""
    store = PurgedWhilePacking()
    gateway = Gateway(app, store=store, options=Options(compress=True))
    Reader(gateway, None).close()
    assert store.result is SaveResult.PURGED_SINCE_FETCH
    assert Reader(gateway, None).status == "fwd=uri-miss; stored"


class Full(MemoryStore):
    """A store without room for codings."""

    attempts = 0

    def add_codings(self, *_: Any, **__: Any) -> SaveResult:
        """Count the attempt, and reject it."""
        self.attempts += 1
        return SaveResult.FULL


def test_what_could_not_be_packed_is_not_tried_at_each_hit() -> None:
    """With a full disk, a HIT does not compress again."""
    store = Full()
    gateway = Gateway(app, store=store, options=Options(compress=True))
    for _ in range(3):
        Reader(gateway, "br").close()
    assert store.attempts == 1


def test_a_failure_to_pack_is_logged_and_hurts_nobody(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The response was sent already, so the error must not reach the server."""
    gateway = Gateway(app, store=store, options=Options(compress=True))
    monkeypatch.setattr(store, "add_codings", None)
    Reader(gateway, "br").close()
    assert [message.partition(":")[0] for message in caplog.messages] == ["gateway.packing_failed"]
    assert Reader(gateway, "br").status.startswith("hit")
