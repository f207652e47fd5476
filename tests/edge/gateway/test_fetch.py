"""Fetches from the application: which answers replace, freshen, expire or purge a stored page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.finding_key import FINDING_KEY
from app.edge.gateway.options import Options
from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.scripted_origin import Stage, get, says

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.edge.gateway.store.base import StoredResponse

PER_REQUEST = Options(per_request_fields=frozenset({"x-request-id"}))
STALE = says(b"old", cache_control="max-age=10, stale-if-error=600", etag='"a"')
NEW = says(b"new", cache_control="max-age=60", etag='"b"')


class CountedBody:
    """A body that counts the calls of close(), even if nothing was read from it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.close_counts = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        """Count the call."""
        self.close_counts += 1


class FindingStage(Stage):
    """A gateway whose application gives a finding while `finding` is set."""

    def __init__(self, options: Options | None = None, **more: Any) -> None:
        super().__init__(options, app=self.answer, **more)
        self.finding: str | None = None
        self.bodies: list[CountedBody] = []

    @property
    def close_counts(self) -> list[int]:
        """Return how often each body of the application was closed."""
        return [body.close_counts for body in self.bodies]

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Set the finding, and send the response of the script."""
        if self.finding:
            environ[FINDING_KEY] = self.finding
            if self.finding == "first-only":
                self.finding = None
        self.bodies.append(CountedBody(self.origin(environ, start_response)))
        return self.bodies[-1]


class CountingStore(MemoryStore):
    """A store that records the keys that are purged, and whose bodies can vanish."""

    def __init__(self) -> None:
        super().__init__()
        self.purged_keys: list[bytes] = []
        self.bodies_vanish = False

    def purge(self, key: bytes) -> int:
        """Record the key."""
        self.purged_keys.append(key)
        return super().purge(key)

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return None while bodies vanish."""
        return None if self.bodies_vanish else super().read_body(key, stored, coding)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_finding_prevents_storing_and_is_the_detail(method: str) -> None:
    """The application knows best why its response is for one reader."""
    stage = FindingStage(Options(get_on_head=True))
    stage.finding = "session-read"
    page = says(b"mine", cache_control="max-age=60")
    for _ in range(2):
        stage.play(get(page, method=method, stored=False))
        answer = stage.play(get(page, method=method))
        assert answer.cache.endswith("; detail=session-read")
    stage.finding = None
    stage.play(get(page, body=b"mine", stored=True))


def test_a_finding_is_given_for_a_page_that_is_not_storable_anyway() -> None:
    """It says more than the directive that follows from it."""
    stage = FindingStage()
    stage.finding = "session-read"
    page = says(b"mine", cache_control="no-store")
    stage.play(get(page, cache="fwd=uri-miss; detail=session-read"))


def test_a_304_with_a_finding_confirms_nothing() -> None:
    """It may be for its reader only, so the page is fetched without conditions."""
    stage = FindingStage()
    stage.play(get(STALE))
    stage.finding = "first-only"
    not_modified = says(status=304, etag='"a"', cache_control="max-age=60")
    step = get(not_modified, NEW, at=20, body=b"new", origin_headers={"If-None-Match": None})
    stage.play(step)
    assert stage.close_counts == [1, 1, 1]


def test_a_head_with_a_finding_changes_nothing() -> None:
    """The stored page is neither freshened nor expired."""
    for answer in (says(cache_control="max-age=600", etag='"a"'), says(etag='"z"')):
        stage = FindingStage()
        stage.play(get(says(b"old", cache_control="max-age=60", etag='"a"')))
        stage.finding = "session-read"
        headers = {"Cache-Control": "no-cache"}
        stage.play(get(answer, at=1, method="HEAD", headers=headers))
        stage.play(get(at=59, body=b"old", cache="hit; ttl=1"))


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_head_that_is_no_200_changes_nothing(status: int) -> None:
    """RFC 9111 section 4.3.5: only a 200 says something about the stored 200."""
    stage = Stage()
    stage.play(get(says(b"old", cache_control="max-age=60", etag='"a"')))
    headers = {"Cache-Control": "no-cache"}
    answer = says(b"", status=status, etag='"z"')
    stage.play(get(answer, at=1, method="HEAD", headers=headers, status=status))
    stage.play(get(at=59, body=b"old", cache="hit; ttl=1"))


WINDOWS = "max-age=60, stale-while-revalidate=60, stale-if-error=60"


@pytest.mark.parametrize("later", [0, 0.5])
def test_a_head_that_differs_expires_the_page_at_once(later: float) -> None:
    """No window is left in which it could be served, and no error is replaced by it."""
    stage = Stage()
    stage.play(get(says(b"old", cache_control=WINDOWS, etag='"a"')))
    differs = says(b"", etag='"z"', length=3)
    stage.play(get(differs, method="HEAD", headers={"Cache-Control": "no-cache"}))
    stage.clock.now += later
    stage.origin.script[:] = [says(fails=True)]
    with pytest.raises(OSError, match="down"):
        stage.ask(get())
    stage.play(get(NEW, body=b"new", cache="fwd=stale; stored"))


@pytest.mark.parametrize("length", [None, 3])
def test_a_head_that_confirms_freshens_the_page(length: int | None) -> None:
    """The length is compared only if the HEAD has one."""
    stage = Stage()
    stage.play(get(says(b"old", cache_control="max-age=60", etag='"a"')))
    confirms = says(b"", etag='"a"', length=length, cache_control="max-age=90")
    stage.play(get(confirms, at=50, method="HEAD", headers={"Cache-Control": "no-cache"}))
    stage.play(get(at=100, body=b"old", cache="hit; ttl=40"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("status", "cache_control"),
    [
        (200, "max-age=60"),
        (200, "no-store"),
        (204, "max-age=60"),
        (204, "no-store"),
        (304, "no-store"),
        (404, "max-age=60"),
        (500, "no-store"),
    ],
)
def test_each_body_is_closed_once(method: str, status: int, cache_control: str) -> None:
    """Stored or not, with a body or without, read or not."""
    stage = FindingStage()
    page = says(status=status, cache_control=cache_control)
    stage.play(get(page, method=method, status=status))
    assert stage.close_counts == [1]


@pytest.mark.parametrize("status", [200, 304])
def test_the_body_of_each_answer_to_a_condition_is_closed(status: int) -> None:
    """A 304 that confirms, and a 200 that becomes the 304 of its reader."""
    stage = FindingStage()
    stage.play(get(STALE))
    headers = {"If-None-Match": '"a"'}
    answer = says(status=status, etag='"a"', cache_control="no-store")
    stage.play(get(answer, at=20, status=304, headers=headers))
    assert stage.close_counts == [1, 1]


def test_a_304_for_another_page_is_followed_by_a_fetch() -> None:
    """Both bodies are closed; the reader's own condition is then evaluated on the new page."""
    stage = FindingStage()
    stage.play(get(STALE))
    wrong = says(status=304, etag='"z"')
    headers = {"If-None-Match": '"b"'}
    stage.play(get(wrong, NEW, at=20, status=304, headers=headers, stored=True))
    assert stage.close_counts == [1, 1, 1]
    stage.play(get(at=21, body=b"new", cache="hit"))


@pytest.mark.parametrize("answer", [says(b"", status=500), says(b"0123", breaks=True, etag='"z"')])
def test_the_body_of_an_error_that_is_replaced_is_closed(answer: Any) -> None:
    """A 500, and a storable page that breaks off."""
    stage = FindingStage()
    stage.play(get(STALE))
    if answer.breaks:
        answer = says(b"0123", breaks=True, cache_control="max-age=60")
    stage.play(get(answer, at=20, body=b"old", cache="fwd=stale"))
    assert stage.close_counts == [1, 1]


@pytest.mark.parametrize("own_condition", [False, True])
def test_a_field_of_one_request_is_the_one_of_this_request(own_condition: bool) -> None:
    """A 304 of the origin brings it, and the stored page does not."""
    stage = Stage(PER_REQUEST)
    one = says(b"old", cache_control="max-age=10", etag='"a"', x_request_id="1")
    stage.play(get(one, response_headers={"X-Request-Id": "1"}))
    stage.play(get(at=1, cache="hit", response_headers={"X-Request-Id": None}))
    two = says(status=304, etag='"a"', x_request_id="2", also=[("Age", "5")])
    headers = {"If-None-Match": '"a"'} if own_condition else {}
    status = 304 if own_condition else 200
    fields = {"X-Request-Id": "2", "Age": "5"}
    stage.play(get(two, at=20, headers=headers, status=status, response_headers=fields))


def test_a_304_that_is_made_of_a_page_that_is_not_stored_has_its_fields() -> None:
    """The first reader after a stored page gets the fields that are for this reader only."""
    stage = Stage(PER_REQUEST)
    page = says(b"mine", cache_control="no-store", etag='"a"', x_request_id="1", set_cookie="a=b")
    fields = {"X-Request-Id": "1", "ETag": '"a"', "Content-Type": None}
    headers = {"If-None-Match": '"a"'}
    stage.play(get(page, headers=headers, status=304, body=b"", response_headers=fields))


def test_a_condition_is_not_evaluated_on_a_body_of_a_wrong_length() -> None:
    """The reader gets what has arrived."""
    stage = Stage()
    page = says(b"page", cache_control="max-age=60", etag='"a"', length=3)
    headers = {"If-None-Match": '"a"'}
    stage.play(get(page, headers=headers, body=b"page", cache="fwd=uri-miss; detail=incomplete"))


def test_a_page_that_can_be_stored_again_is_fetched_for_all() -> None:
    """After it was stored once, the application sees no conditions of readers."""
    stage = Stage()
    condition = {"If-None-Match": '"z"'}
    stage.play(get(says(b"mine", cache_control="no-store")))
    stage.play(get(NEW, body=b"new", stored=True))
    step = get(
        NEW,
        headers=condition,
        purge="http://example.org/",
        stored=True,
        origin_headers={"If-None-Match": None},
    )
    stage.play(step)


def test_a_reader_who_stores_nothing_does_not_stop_the_next_one() -> None:
    """A stored page is validated with its own tag, and its successor is stored."""
    stage = Stage()
    stage.play(get(STALE))
    no_store = {"Cache-Control": "no-store"}
    stage.play(get(NEW, at=20, headers=no_store, body=b"new", stored=False))
    headers = {"If-None-Match": '"z"'}
    step = get(NEW, at=21, headers=headers, stored=True, origin_headers={"If-None-Match": '"a"'})
    stage.play(step)


@pytest.mark.parametrize(("get_on_head", "value"), [(False, '"z"'), (True, None)])
def test_a_head_that_is_forwarded_keeps_its_conditions(
    get_on_head: bool, value: str | None
) -> None:
    """Its answer is never stored; a HEAD that becomes a GET is fetched for all."""
    stage = Stage(Options(get_on_head=get_on_head))
    headers = {"If-None-Match": '"z"'}
    stage.play(
        get(
            NEW,
            method="HEAD",
            headers=headers,
            stored=get_on_head,
            origin_headers={"If-None-Match": value},
        )
    )


@pytest.mark.parametrize("control", ["no-store", "private", "max-age=60, private", ""])
def test_only_a_stored_page_is_purged(control: str) -> None:
    """A purge rejects the tokens of all fetches that run, so a needless one costs hits."""
    store = CountingStore()
    stage = Stage(store=store)
    stage.play(get(says(b"mine", cache_control=control), stored=False))
    assert store.purged_keys == []
    stage.play(get(STALE, at=1, stored=True))
    stage.play(get(says(b"mine", cache_control=control), at=20, stored=False))
    is_purged = any(name in control for name in ("no-store", "private"))
    assert store.purged_keys == [stage.gateway.cache_key("http://example.org/")] * is_purged


@pytest.mark.parametrize("control", ["max-age=60", "no-store"])
@pytest.mark.parametrize("body", [b"", b"not allowed"])
def test_a_204_has_no_body(control: str, body: bytes) -> None:
    """Neither the first reader nor the next one gets it."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("204 No Content", [("Cache-Control", control), ("Date", "now")])
        return [body]

    stage = Stage(app=app)
    for _ in range(2):
        answer = stage.ask(get())
        assert (answer.status, answer.body) == (204, b"")
    assert ("hit" in answer.cache) is (control != "no-store")
