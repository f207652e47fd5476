"""A store without a free page, a purge that can't be written, and a process without threads."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.options import Options
from app.edge.gateway.store.base import SaveResult, StoreError
from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.scripted_origin import Stage, get, says

if TYPE_CHECKING:
    from collections.abc import Iterator

FRESH = says(b"page", cache_control="max-age=60", etag='"a"')
NEW = says(b"new", cache_control="max-age=60", etag='"b"')
PRIVATE = says(b"mine", cache_control="private")
WINDOWS = "max-age=10, stale-while-revalidate=30, stale-if-error=600"
STALE = says(b"old", cache_control=WINDOWS, etag='"a"')


class FullStore(MemoryStore):
    """A store whose saves give one result while `result` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.result: SaveResult | None = None

    def save(self, *args: Any, **options: Any) -> SaveResult:
        """Return the result, or save."""
        return self.result or super().save(*args, **options)

    def freshen(self, *args: Any, **options: Any) -> SaveResult:
        """Return the result, or freshen."""
        return self.result or super().freshen(*args, **options)


class LockedStore(MemoryStore):
    """A store whose purges can't be written while `is_locked` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.is_locked = False
        self.purges: list[bytes] = []

    def purge(self, key: bytes) -> int:
        """Raise as a store on a full disk does."""
        self.purges.append(key)
        if self.is_locked:
            raise StoreError("The disk is full.")
        return super().purge(key)


RESULTS = [each for each in SaveResult if each is not SaveResult.SAVED]


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("compress", [False, True])
def test_a_reader_gets_the_page_that_could_not_be_saved(
    result: SaveResult, compress: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Cache-Status and the log give the reason; the next request fetches and stores the page."""
    caplog.set_level("INFO", "app.edge.gateway")
    store = FullStore()
    stage = Stage(Options(compress=compress, min_compress_size=1), store=store)
    store.result = result
    detail = f"fwd=uri-miss; detail={result.value}"
    stage.play(get(FRESH, body=b"page", cache=detail, stored=False))
    assert f"gateway.not_saved: the store did not save http://example.org/ ({result.value})" in (
        caplog.text
    )
    store.result = None
    stage.play(get(FRESH, at=1, body=b"page", cache="fwd=uri-miss; stored", stored=True))
    stage.play(get(at=2, body=b"page", cache="hit"))


@pytest.mark.parametrize("result", RESULTS)
def test_a_page_that_was_validated_is_sent_though_it_could_not_be_saved(
    result: SaveResult,
) -> None:
    """The 304 of the origin is never sent to a reader who has no page."""
    store = FullStore()
    stage = Stage(store=store)
    stage.play(get(STALE, body=b"old"))
    store.result = result
    not_modified = says(status=304, etag='"a"', cache_control="max-age=60")
    stage.play(get(not_modified, at=50, body=b"old", status=200, stored=False))


def test_a_page_that_became_private_is_sent_though_the_purge_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The failure is logged with the URL; the page itself is not stored."""
    store = LockedStore()
    stage = Stage(store=store)
    stage.play(get(STALE, body=b"old"))
    store.is_locked = True
    stage.play(get(PRIVATE, at=50, body=b"mine", stored=False))
    assert "gateway.not_forgotten: http://example.org/ could not be purged" in caplog.text
    assert store.purges == [stage.gateway.cache_key("http://example.org/")]


@pytest.mark.parametrize("status", [200, 204, 303])
def test_a_write_is_answered_though_the_purge_failed(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The application has made the change already."""
    store = LockedStore()
    stage = Stage(store=store)
    stage.play(get(FRESH, body=b"page"))
    store.is_locked = True
    stage.play(get(says(b"", status=status), at=1, method="POST", status=status))
    assert "gateway.not_forgotten" in caplog.text


@pytest.mark.parametrize(
    ("status", "is_purged"), [(200, True), (303, True), (400, False), (404, False), (500, False)]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_a_write_that_succeeds_invalidates(method: str, status: int, is_purged: bool) -> None:
    """RFC 9111 section 4.4: a response that is no error."""
    stage = Stage()
    stage.play(get(FRESH, body=b"page"))
    stage.play(get(says(b"x", status=status), at=1, method=method, status=status))
    if is_purged:
        stage.play(get(NEW, at=2, body=b"new", cache="fwd=uri-miss; stored"))
    else:
        stage.play(get(at=2, body=b"page", cache="hit"))


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process can't start a thread."""

    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        yield


@pytest.mark.usefixtures("no_threads")
def test_without_threads_a_stale_page_is_served_and_refreshed_by_a_later_reader() -> None:
    """Inside of the window no reader waits; after it the reader fetches the page."""
    stage = Stage()
    stage.play(get(STALE, body=b"old"))
    stage.play(get(at=20, body=b"old", cache="hit"))
    stage.play(get(NEW, at=50, body=b"new", cache="fwd=stale"))


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("no_threads")
def test_without_threads_a_deadline_is_no_error() -> None:
    """The stale page is served at once, because nothing could wait for the origin."""
    stage = Stage(Options(origin_deadline=timedelta(hours=1)))
    stage.play(get(STALE, body=b"old"))
    stage.play(get(at=50, body=b"old", cache="fwd=stale; ttl=-40; detail=overdue"))
    assert stage.ask(get()).body == b"old"


LIMITS = [
    (b"", None, True),
    (b"x" * 9, None, True),
    (b"x" * 10, None, True),
    (b"x" * 11, None, False),
    (b"x" * 10, 10, True),
    (b"x" * 11, 11, False),
    (b"", 0, True),
]


@pytest.mark.parametrize(("body", "length", "is_stored"), LIMITS)
def test_a_body_is_stored_up_to_the_limit(body: bytes, length: int | None, is_stored: bool) -> None:
    """With and without a Content-Length; the reader gets it in any case."""
    stage = Stage(Options(max_body_size=10))
    page = says(body, cache_control="max-age=60", length=length)
    cache = "fwd=uri-miss; stored" if is_stored else "fwd=uri-miss; detail=too-large"
    stage.play(get(page, body=body, cache=cache, stored=is_stored))


@pytest.mark.parametrize(("size", "is_compressed"), [(99, False), (100, True), (101, True)])
def test_a_body_is_compressed_from_the_limit_on(size: int, is_compressed: bool) -> None:
    """A smaller one is sent as it is, but varies on the coding all the same."""
    stage = Stage(Options(compress=True, min_compress_size=100))
    page = says(b"a" * size, cache_control="max-age=60")
    coding = {"Content-Encoding": "gzip" if is_compressed else None, "Vary": "Accept-Encoding"}
    stage.play(get(page, headers={"Accept-Encoding": "gzip"}, response_headers=coding))
    stage.play(get(at=1, headers={"Accept-Encoding": "gzip"}, cache="hit", response_headers=coding))


@pytest.mark.parametrize(
    ("status", "content_type", "cache_control", "is_compressed"),
    [
        (200, "text/html", "", True),
        (200, "TEXT/HTML ; charset=x", "", True),
        (200, "application/json", "", True),
        (200, "image/svg+xml", "", True),
        (200, "image/png", "", False),
        (200, "application/octet-stream", "", False),
        (404, "text/plain", "", True),
        (200, "text/html", ", no-transform", False),
        (200, "text/html", ", No-Transform", False),
    ],
)
def test_only_text_that_may_be_transformed_is_compressed(
    status: int, content_type: str, cache_control: str, is_compressed: bool
) -> None:
    """RFC 9110 section 7.7: no-transform forbids it, in any case of letters."""
    stage = Stage(Options(compress=True, min_compress_size=1))
    page = says(
        b"a" * 99,
        status=status,
        cache_control=f"max-age=60{cache_control}",
        also=[("Content-Type", content_type)],
    )
    coding = {"Content-Encoding": "gzip" if is_compressed else None}
    asks = {"Accept-Encoding": "gzip"}
    stage.play(get(page, status=status, headers=asks, response_headers=coding))
    stage.play(get(at=1, status=status, headers=asks, cache="hit", response_headers=coding))


def test_no_transform_in_the_own_field_is_obeyed() -> None:
    """The gateway's directives are those of its targeted field."""
    stage = Stage(Options(compress=True, min_compress_size=1))
    also = [("Broadsheet-Cache-Control", "max-age=60, no-transform")]
    asks = {"Accept-Encoding": "gzip"}
    page = says(b"a" * 99, also=also)
    stage.play(get(page, headers=asks, response_headers={"Content-Encoding": None}))


OVERRIDES = {
    "the gateway's own field hides no-store": (
        [("Cache-Control", "no-store"), ("Broadsheet-Cache-Control", "max-age=60")],
        True,
    ),
    "the gateway's own no-store counts": (
        [("Cache-Control", "max-age=60"), ("Broadsheet-Cache-Control", "no-store")],
        False,
    ),
}


@pytest.mark.parametrize(("also", "is_stored"), OVERRIDES.values(), ids=OVERRIDES)
def test_the_own_field_is_obeyed_and_never_sent(
    also: list[tuple[str, str]], is_stored: bool
) -> None:
    """RFC 9213: Cache-Control reaches the reader unchanged."""
    stage = Stage()
    hidden = {"Broadsheet-Cache-Control": None, "Cache-Control": also[0][1]}
    stage.play(get(says(b"a", also=also), stored=is_stored, response_headers=hidden))
