"""Which requests take the fetch lock of a page, and what a request does that waited for it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.collapsing import CollapseRole
from app.edge.gateway.options import Options
from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.scripted_origin import BOUND, Stage, get, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.edge.gateway.store.base import StoredResponse

URL = "http://example.org/"
FRESH = says(b"page", cache_control="max-age=60", etag='"a"')
PRIVATE = says(b"mine", cache_control="no-store")


@dataclass(kw_only=True)
class FixedRole:
    """A collapser that records who asks, and gives one role after another request has run."""

    role: CollapseRole = CollapseRole.LEADER
    other_request: Callable[[], object] | None = None
    elections: list[tuple[bytes, timedelta]] = field(default_factory=list)

    @contextmanager
    def elect(self, key: bytes, wait: timedelta) -> Iterator[CollapseRole]:
        """Record the request; run what happens while it waits."""
        self.elections.append((key, wait))
        if self.other_request is None:
            yield self.role
            return
        run, self.other_request = self.other_request, None
        role, self.role = self.role, CollapseRole.LEADER
        run()
        yield role


class Bodiless(MemoryStore):
    """A store whose bodies were evicted."""

    def read_body(self, _key: bytes, _stored: StoredResponse, _coding: str) -> bytes | None:
        """Return None."""
        return None


def test_a_miss_takes_the_lock_of_its_page() -> None:
    """The wait is the configured one."""
    collapser = FixedRole()
    stage = Stage(Options(collapse_timeout=timedelta(seconds=7)), collapser=collapser)
    stage.play(get(FRESH, body=b"page", cache="fwd=uri-miss; stored"))
    assert collapser.elections == [(stage.gateway.cache_key(URL), timedelta(seconds=7))]
    stage.play(get(at=1, cache="hit"))
    assert len(collapser.elections) == 1


NO_LOCK: dict[str, dict[str, Any]] = {
    "credentials": {"headers": {"Authorization": "Basic YTpi"}},
    "HEAD": {"method": "HEAD"},
    "the reader wants a new page": {"headers": {"Cache-Control": "no-cache"}},
    "only a stored page is wanted": {"headers": {"Cache-Control": "only-if-cached"}, "status": 504},
}


@pytest.mark.parametrize("name", NO_LOCK)
def test_a_request_that_can_not_share_a_response_takes_no_lock(name: str) -> None:
    """It would only make others wait."""
    collapser = FixedRole()
    stage = Stage(collapser=collapser)
    if name == "the reader wants a new page":
        stage.play(get(FRESH))
        collapser.elections.clear()
    answers = [] if name == "only a stored page is wanted" else [FRESH]
    stage.play(get(*answers, at=1, **NO_LOCK[name]))
    assert collapser.elections == []


def test_a_head_that_becomes_a_get_takes_the_lock() -> None:
    """Its page is stored for all."""
    collapser = FixedRole()
    stage = Stage(Options(get_on_head=True), collapser=collapser)
    stage.play(get(FRESH, method="HEAD", stored=True))
    assert len(collapser.elections) == 1


def test_after_a_private_page_no_lock_is_taken() -> None:
    """Its readers would wait for one another without a use."""
    collapser = FixedRole()
    stage = Stage(collapser=collapser)
    for number in range(3):
        stage.play(get(PRIVATE, at=number))
    assert len(collapser.elections) == 1
    stage.play(get(FRESH, at=4, stored=True))
    stage.play(get(FRESH, at=99, stored=True))
    assert len(collapser.elections) == 2


def test_without_purges_no_lock_is_taken() -> None:
    """What another request has stored would have to be validated again."""
    collapser = FixedRole()
    stage = Stage(Options(receives_purges=lambda: False), collapser=collapser)
    stage.play(get(FRESH))
    assert collapser.elections == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_that_waited_gets_the_page_of_the_other(method: str) -> None:
    """The application is called once; Cache-Status says that the request was collapsed."""
    collapser = FixedRole(role=CollapseRole.FOLLOWER)
    stage = Stage(Options(get_on_head=True), collapser=collapser)
    stage.origin.script[:] = [FRESH]
    collapser.other_request = lambda: stage.ask(get())
    answer = stage.ask(get(method=method))
    assert answer.cache == "fwd=uri-miss; collapsed"
    assert answer.body == (b"page" if method == "GET" else b"")
    assert len(stage.origin.environs) == 1


def _ask_other_variant(stage: Stage) -> None:
    stage.origin.script.insert(0, says(b"de", cache_control="max-age=60", vary="Accept-Language"))
    stage.ask(get(headers={"Accept-Language": "de"}))


def _store_stale(stage: Stage) -> None:
    stage.origin.script.insert(0, says(b"old", cache_control="max-age=1", etag='"z"'))
    stage.ask(get())
    stage.clock.now += 5


FOLLOWED: dict[str, tuple[Callable[[Stage], object], str]] = {
    "nothing was stored": (lambda _stage: None, "fwd=uri-miss; stored"),
    "another variant was stored": (
        _ask_other_variant,
        "fwd=vary-miss; stored",
    ),
    "a stale page was stored": (_store_stale, "fwd=stale; stored"),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_request_that_waited_in_vain_fetches(name: str) -> None:
    """It uses what the store holds now, for validation and for Cache-Status."""
    other_request, cache = FOLLOWED[name]
    collapser = FixedRole(role=CollapseRole.FOLLOWER)
    stage = Stage(collapser=collapser)
    stage.origin.script[:] = [FRESH]
    collapser.other_request = lambda: other_request(stage)
    answer = stage.ask(get())
    assert (answer.body, answer.cache) == (b"page", cache)
    tag = '"z"' if "stale" in name else None
    assert stage.origin.environs[-1].get("HTTP_IF_NONE_MATCH") == tag


def test_a_page_without_its_body_is_fetched_by_the_request_that_waited() -> None:
    """The body was evicted between the two requests."""
    collapser = FixedRole(role=CollapseRole.FOLLOWER)
    stage = Stage(store=Bodiless(), collapser=collapser)
    stage.origin.script[:] = [FRESH, says(b"new", cache_control="max-age=60")]
    collapser.other_request = lambda: stage.ask(get())
    answer = stage.ask(get())
    assert (answer.body, answer.cache) == (b"new", "fwd=miss; stored")
    assert "HTTP_IF_NONE_MATCH" not in stage.origin.environs[-1]


@pytest.mark.parametrize("role", [CollapseRole.ALONE, CollapseRole.LEADER])
def test_a_request_that_does_not_follow_fetches(role: CollapseRole) -> None:
    """A wait that timed out is no error."""
    collapser = FixedRole(role=role)
    stage = Stage(collapser=collapser)
    stage.play(get(FRESH, body=b"page", cache="fwd=uri-miss; stored"))


WINDOW = says(b"old", cache_control="max-age=10, stale-while-revalidate=60", etag='"a"')


@pytest.mark.parametrize("role", CollapseRole)
def test_only_the_leader_refreshes_in_the_background(role: CollapseRole) -> None:
    """The others do not wait: another process refreshes the page."""
    collapser = FixedRole()
    stage = Stage(collapser=collapser)
    stage.play(get(WINDOW))
    collapser.role = role
    stage.origin.script[:] = [FRESH]
    stage.clock.now += 20
    assert stage.ask(get()).body == b"old"
    assert stage.gateway.drain(BOUND)
    assert len(stage.origin.environs) == 1 + (role is CollapseRole.LEADER)
    assert collapser.elections[-1] == (stage.gateway.cache_key(URL), timedelta(0))


def test_a_deadline_is_for_a_reader_who_can_get_a_stale_page() -> None:
    """All others wait for the application, which is called once."""
    stage = Stage(Options(origin_deadline=timedelta(0)))
    stage.play(get(FRESH, body=b"page", stored=True))
    stage.play(get(FRESH, at=90, body=b"page", stored=True))


class LateBody:
    """A body that notes that it was closed."""

    def __init__(self) -> None:
        self.close_event = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"late"])

    def close(self) -> None:
        """Note the call."""
        self.close_event.set()


def test_a_late_response_that_is_not_stored_is_closed() -> None:
    """Its reader has got the stale page before."""
    gate, late = threading.Event(), LateBody()

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_IF_NONE_MATCH" not in environ:
            return stage.origin(environ, start_response)
        assert gate.wait(BOUND.total_seconds())
        start_response("200 OK", [("Cache-Control", "no-store"), ("Content-Type", "text/html")])
        return late

    stage = Stage(Options(origin_deadline=timedelta(milliseconds=1)), app=app)
    stage.play(get(says(b"old", cache_control="max-age=10, stale-if-error=60", etag='"a"')))
    stage.clock.now += 20
    answer = stage.ask(get())
    assert (answer.body, answer.cache) == (b"old", "fwd=stale; ttl=-10; detail=overdue")
    gate.set()
    assert stage.gateway.drain(BOUND)
    assert late.close_event.is_set()


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False)])
def test_a_page_that_is_not_stored_is_a_504_if_only_that_is_wanted(
    method: str, has_body: bool
) -> None:
    """RFC 9111 section 5.2.1.7; the answer itself is never stored."""
    stage = Stage()
    headers = {"Cache-Control": "only-if-cached"}
    fields = {"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8"}
    answer = stage.play(get(method=method, headers=headers, status=504, response_headers=fields))
    assert answer.cache == "detail=only-if-cached"
    assert bool(answer.body) is has_body
    assert answer.header("Content-Length") == str(
        len(b"No usable response is stored for this request.\n")
    )


def test_the_site_is_that_of_the_options() -> None:
    """It is empty for a gateway that serves any site."""
    assert Stage().gateway.site == ""
    assert Stage(Options(site="https://example.org")).gateway.site == "https://example.org"
