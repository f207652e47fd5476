from __future__ import annotations

import threading
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.gateway import Gateway
from app.edge.gateway.options import Options
from app.edge.gateway.store.base import SaveResult, StoredResponse, StoreError
from app.edge.gateway.store.memory import MemoryStore
from app.edge.gateway.wsgi_call import NoResponseError
from tests.edge.gateway.scripted_origin import (
    BOUND,
    Clock,
    Pair,
    Received,
    ScriptedResponse,
    Stage,
    Step,
    call,
    environ_for,
    get,
    ignore_start,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

OK = "200 OK"
HTML = ("Content-Type", "text/html")
SHARED = [HTML, ("Cache-Control", "max-age=60")]
ALONE = [HTML, ("Cache-Control", "no-store")]


class Gate:
    """An application that responds when the test allows it, and counts its calls."""

    def __init__(self, headers: list[Pair] = SHARED) -> None:
        self.headers = headers
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.count = 0
        self.lock = threading.Lock()

    def __call__(self, _environ: Any, start_response: Any) -> Iterable[bytes]:
        """Wait for the gate, then respond with the number of earlier calls."""
        with self.lock:
            self.count += 1
            number = self.count
        self.entered.release()
        assert self.open.wait(BOUND.total_seconds())
        start_response(OK, self.headers)
        return [b"answer %d" % number]


class Crowd:
    """Several concurrent readers."""

    def __init__(self, gateway: Gateway, size: int) -> None:
        self.responses: list[Received] = []
        self.threads = [
            threading.Thread(target=lambda: self.responses.append(call(gateway, get())))
            for _ in range(size)
        ]
        for thread in self.threads:
            thread.start()

    def join(self) -> list[Received]:
        """Wait for all of them."""
        for thread in self.threads:
            thread.join(BOUND.total_seconds())
        return self.responses


class TestCollapsing:
    """One request at a time fetches a missing page (RFC 9111 section 4)."""

    def test_a_crowd_costs_one_fetch(self) -> None:
        """All get the leader's response, marked as collapsed."""
        app = Gate()
        crowd = Crowd(Gateway(app, store=MemoryStore()), 8)
        app.entered.acquire()
        app.open.set()
        responses = crowd.join()
        assert app.count == 1
        assert {each.body for each in responses} == {b"answer 1"}
        assert {each.cache for each in responses} <= {
            "fwd=uri-miss; stored",
            "fwd=uri-miss; collapsed",
            "hit; ttl=59",
        }

    def test_nobody_gets_another_readers_private_answer(self) -> None:
        """A response that is not stored is not shared with waiting requests."""
        app = Gate(ALONE)
        crowd = Crowd(Gateway(app, store=MemoryStore()), 6)
        app.entered.acquire()
        app.open.set()
        responses = crowd.join()
        assert app.count == 6
        assert len({each.body for each in responses}) == 6

    def test_nobody_waits_for_what_was_not_shared_before(self) -> None:
        """Requests for a page that could not be stored are not collapsed."""
        app = Gate(ALONE)
        app.open.set()
        gateway = Gateway(app, store=MemoryStore())
        call(gateway, get())
        app.open.clear()
        crowd = Crowd(gateway, 4)
        for _ in range(5):
            assert app.entered.acquire(timeout=BOUND.total_seconds())
        app.open.set()
        assert len(crowd.join()) == 4

    def test_the_wait_is_bounded(self) -> None:
        """A request whose wait times out fetches itself."""
        app = Gate()
        options = Options(collapse_timeout=timedelta(milliseconds=10))
        crowd = Crowd(Gateway(app, store=MemoryStore(), options=options), 3)
        for _ in range(3):
            assert app.entered.acquire(timeout=BOUND.total_seconds())
        app.open.set()
        assert len(crowd.join()) == 3

    def test_a_leader_that_fails_frees_the_others(self) -> None:
        """Its own reader gets the exception; the next request fetches again."""
        stage = Stage()
        stage.origin.script[:] = [says(fails=True), says(b"good", cache_control="max-age=9")]
        with pytest.raises(OSError, match="down"):
            stage.ask(get())
        assert stage.ask(get()).body == b"good"


class TestPurging:
    """A response that was fetched before a purge is never stored after it."""

    def test_a_purge_during_a_fetch_wins(self) -> None:
        """The reader gets the page, but it is not stored."""
        app, store = Gate(), MemoryStore()
        gateway = Gateway(app, store=store)
        crowd = Crowd(gateway, 1)
        app.entered.acquire()
        gateway.purge("http://example.org/")
        app.open.set()
        (response,) = crowd.join()
        assert response.cache == "fwd=uri-miss; detail=refused-purged-meanwhile"
        assert call(gateway, get()).body == b"answer 2"

    def test_a_follower_from_after_the_purge_asks_anew(self) -> None:
        """A request after a purge never gets a response fetched before it."""
        app = Gate()
        gateway = Gateway(app, store=MemoryStore())
        early = Crowd(gateway, 1)
        app.entered.acquire()
        gateway.purge("http://example.org/")
        late = Crowd(gateway, 3)
        app.open.set()
        early.join()
        assert b"answer 1" not in {each.body for each in late.join()}

    def test_a_purge_during_a_validation_wins(self) -> None:
        """A 304 to a request from before the purge freshens nothing."""
        stage = Stage()
        stage.play(get(says(etag='"a"', cache_control="max-age=1")))

        def origin(environ: Any, start_response: Any) -> Iterable[bytes]:
            if "HTTP_IF_NONE_MATCH" in environ:
                stage.gateway.purge("http://example.org/")
                start_response("304 Not Modified", [("ETag", '"a"')])
                return []
            start_response(OK, SHARED)
            return [b"anew"]

        gateway = Gateway(origin, store=stage.store, clock=stage.clock)
        stage.clock.now += 5
        assert call(gateway, get()).body == b"anew"

    def test_purge_all_forgets_everything(self) -> None:
        """The number of responses is returned."""
        stage = Stage()
        stage.play(get(says(cache_control="max-age=60")))
        assert stage.gateway.purge_all() == 1
        stage.play(get(says(), cache="fwd=uri-miss"))

    @pytest.mark.parametrize("url", ["/path", "//host", "ftp://example.org/", "http://a b/", ""])
    def test_a_purge_needs_a_url(self, url: str) -> None:
        """A URL that no request can have is rejected with a sentence."""
        with pytest.raises(ValueError, match="absolute"):
            Stage().gateway.purge(url)


class TestDeadline:
    """A stale page is served instead of a late response, if the origin allows it."""

    def test_a_late_answer_is_replaced_by_a_stale_one_and_stored_later(self) -> None:
        """The reader gets the old page at the deadline, the next reader the new page."""
        app, clock = Gate([*SHARED, ("Cache-Control", "stale-if-error=600")]), Clock()
        app.open.set()
        options = Options(origin_deadline=timedelta(milliseconds=20))
        gateway = Gateway(app, store=MemoryStore(), options=options, clock=clock)
        call(gateway, get())
        app.open.clear()
        clock.now += 61
        response = call(gateway, get())
        assert response.body == b"answer 1"
        assert response.cache == "fwd=stale; ttl=-1; detail=overdue"
        app.open.set()
        assert gateway.drain(BOUND)
        assert call(gateway, get()).body == b"answer 2"

    def test_an_answer_in_time_is_the_answer(self) -> None:
        """The deadline has no effect if the origin is fast."""
        stage = Stage(Options(origin_deadline=BOUND))
        stage.play(get(says(b"old", cache_control="max-age=1, stale-if-error=60")))
        stage.play(get(says(b"new"), at=5, body=b"new", cache="fwd=stale"))

    def test_an_answer_in_time_may_be_an_exception(self) -> None:
        """A failure within the deadline is handled as without a deadline."""
        stage = Stage(Options(origin_deadline=BOUND))
        stage.play(get(says(b"old", cache_control="max-age=1, stale-if-error=60")))
        stage.play(get(says(fails=True), at=5, body=b"old", cache="fwd=stale; ttl=-4"))


class TestBackground:
    """Background refreshes are limited and never delay a reader."""

    def test_a_page_is_refreshed_by_one_thread(self) -> None:
        """While one refresh runs, further readers get the stale page and start none."""
        app, clock = Gate([*SHARED, ("Cache-Control", "stale-while-revalidate=600")]), Clock()
        app.open.set()
        gateway = Gateway(app, store=MemoryStore(), clock=clock)
        call(gateway, get())
        app.open.clear()
        clock.now += 61
        assert {call(gateway, get()).body for _ in range(5)} == {b"answer 1"}
        app.open.set()
        assert gateway.drain(BOUND)
        assert app.count == 2

    def test_a_refresh_that_fails_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """The stale page stays; the failure is in the log."""
        stage = Stage()
        stage.play(get(says(b"old", cache_control="max-age=1, stale-while-revalidate=60")))
        stage.play(get(says(fails=True), at=5, body=b"old"))
        assert "gateway.background_failed" in [text.partition(":")[0] for text in caplog.messages]
        stage.play(get(says(b"new"), at=6, body=b"old"))

    def test_a_refresh_knows_nothing_of_its_readers_connection(self) -> None:
        """Only text and the standard WSGI objects reach the origin in the background."""
        stage = Stage()
        stage.play(get(says(cache_control="max-age=1, stale-while-revalidate=60")))
        stage.clock.now += 5
        environ = {**environ_for(get()), "server.socket": object(), "wsgi.early_hints": print}
        stage.origin.script[:] = [says()]
        list(stage.gateway(environ, ignore_start))
        assert stage.gateway.drain(BOUND)
        background_environ = stage.origin.environs[-1]
        assert "server.socket" not in background_environ
        assert "wsgi.early_hints" not in background_environ


class TestWsgi:
    """The gateway follows PEP 3333 towards the server and the application."""

    def ask(self, app: Any, **more: Any) -> Received:
        """Send one GET through a new gateway."""
        return call(Gateway(app, store=MemoryStore()), get(**more))

    def test_what_is_not_kept_is_the_applications_own_iterable(self) -> None:
        """A server can still recognise its file wrapper."""
        body = [b"a", b"b"]

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, ALONE)
            return body

        gateway = Gateway(app, store=MemoryStore())
        assert gateway(environ_for(get()), ignore_start) is body
        assert gateway(environ_for(get(method="POST")), ignore_start) is body

    @pytest.mark.parametrize("headers", [SHARED, ALONE])
    def test_an_application_may_write(self, headers: list[Pair]) -> None:
        """Data of write() comes before the returned data."""

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            write = start_response(OK, headers)
            write(b"one ")
            return [b"two"]

        assert self.ask(app).body == b"one two"

    @pytest.mark.parametrize("headers", [SHARED, ALONE])
    def test_an_application_may_start_late(self, headers: list[Pair]) -> None:
        """A generator may call start_response at the first iteration."""

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, headers)
            yield b""
            yield b"late"

        assert self.ask(app).body == b"late"

    def test_an_application_may_change_its_mind(self) -> None:
        """With exc_info a head that was not sent yet is replaced."""

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, SHARED)
            start_response("500 Oops", ALONE, (OSError, OSError(), None))
            return [b"sorry"]

        assert self.ask(app, status=500).status == 500

    def test_too_late_to_change_its_mind(self) -> None:
        """After the first byte, exc_info is raised again, and the body counts as incomplete."""

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, SHARED)
            yield b"begun"
            start_response("500 Oops", ALONE, (OSError, OSError("late"), None))

        with pytest.raises(OSError, match="late"):
            self.ask(app)

    def test_starting_twice_is_an_error(self) -> None:
        """A second call without exc_info raises an error."""

        def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, SHARED)
            start_response(OK, SHARED)
            return []

        with pytest.raises(AssertionError, match="twice"):
            self.ask(app)

    def test_not_starting_is_an_error(self) -> None:
        """An application that never calls start_response causes an error."""
        with pytest.raises(NoResponseError):
            self.ask(lambda _environ, _start: [])

    def test_an_exception_is_the_servers_to_handle(self) -> None:
        """Without a stale response the exception reaches the server."""
        stage = Stage()
        stage.origin.script[:] = [says(fails=True)]
        with pytest.raises(OSError, match="down"):
            stage.ask(get())

    @pytest.mark.parametrize("control", ["max-age=60", "no-store", "max-age=60, private"])
    def test_every_body_is_closed_once(self, control: str) -> None:
        """The application's body is closed, whether it is stored or not."""
        stage = Stage()
        stage.play(get(says(cache_control=control)))
        assert stage.origin.closed_bodies == 1

    def test_a_body_that_breaks_off_breaks_off_for_the_reader_too(self) -> None:
        """The reader gets the received part and the exception; nothing is stored."""
        stage = Stage()
        stage.origin.script[:] = [says(b"0123456789", breaks=True, cache_control="max-age=60")]
        body = stage.gateway(environ_for(get()), ignore_start)
        parts = iter(body)
        assert next(parts) == b"01234"
        with pytest.raises(OSError, match="broke off"):
            next(parts)
        body.close()  # type: ignore[attr-defined] # a body that was touched has one
        assert stage.origin.closed_bodies == 1
        stage.play(get(says(b"whole"), body=b"whole", cache="fwd=uri-miss"))

    def test_the_body_of_a_post_is_the_applications(self) -> None:
        """A pass does not read wsgi.input and does not change the environ."""
        stage = Stage()
        stage.origin.script[:] = [says()]
        environ = {**environ_for(get(method="POST")), "wsgi.input": BytesIO(b"text")}
        list(stage.gateway(environ, ignore_start))
        assert stage.origin.environs[0]["wsgi.input"].read() == b"text"

    def test_a_script_name_that_is_not_ours_is_passed_on(self) -> None:
        """A client that sends a foreign mount point can't poison the cache."""
        stage = Stage()
        stage.play(get(says(b"good", cache_control="max-age=60"), target="/blog/x"))
        environ = {**environ_for(get(target="/x")), "SCRIPT_NAME": "/blog"}
        stage.origin.script[:] = [says(b"evil", cache_control="max-age=60")]
        list(stage.gateway(environ, ignore_start))
        stage.play(get(target="/blog/x", body=b"good", cache="hit"))
        stage.play(get(says(b"own"), target="/x", body=b"own", cache="fwd=uri-miss"))

    def test_a_configured_mount_is_part_of_the_address(self) -> None:
        """An application mounted below a path is purged by its complete URL."""
        stage = Stage(Options(mount="/blog"))
        environ = {**environ_for(get(target="/x")), "SCRIPT_NAME": "/blog"}
        stage.origin.script[:] = [says(cache_control="max-age=60")]
        list(stage.gateway(environ, ignore_start))
        assert stage.gateway.purge("http://example.org/blog/x") == 1

    def test_the_raw_target_shapes_nothing(self) -> None:
        """The raw request line is neither part of the key nor visible to the origin."""
        stage = Stage()
        environ = {**environ_for(get()), "RAW_URI": "http://evil/", "REQUEST_URI": "//evil"}
        stage.origin.script[:] = [says(cache_control="max-age=60")]
        list(stage.gateway(environ, ignore_start))
        assert not {"RAW_URI", "REQUEST_URI"} & stage.origin.environs[0].keys()
        stage.play(get(cache="hit"))

    def test_only_listed_fields_reach_the_origin(self) -> None:
        """With `allowed_fields`, a shared fetch contains no other fields."""
        stage = Stage(Options(allowed_fields=frozenset({"accept-language"})))
        step = get(says(), headers={"Cookie": "a=b", "Accept-Language": "de"})
        stage.play(step)
        assert stage.origin.environs[0]["HTTP_ACCEPT_LANGUAGE"] == "de"
        assert "HTTP_COOKIE" not in stage.origin.environs[0]


class Failing(MemoryStore):
    """A store whose disk fails in several ways."""

    def __init__(
        self,
        *,
        bodies_vanish: bool = False,
        purges_fail: bool = False,
        saves: SaveResult = SaveResult.SAVED,
    ) -> None:
        super().__init__()
        self.bodies_vanish = bodies_vanish
        self.purges_fail = purges_fail
        self.saves = saves

    def purge(self, key: bytes) -> int:
        """Raise StoreError, if configured."""
        if self.purges_fail:
            raise StoreError("The folder can't be written.")
        return super().purge(key)

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return None, if configured."""
        return None if self.bodies_vanish else super().read_body(key, stored, coding)

    def save(
        self, key: bytes, stored: StoredResponse, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Return the configured result."""
        if self.saves is not SaveResult.SAVED:
            return self.saves
        return super().save(key, stored, bodies, token=token)


class TestFailingStore:
    """A store that fails costs hits, but no page."""

    @pytest.mark.parametrize("saved", [SaveResult.FAILED, SaveResult.FULL, SaveResult.TOO_LARGE])
    def test_a_page_that_can_not_be_saved_is_passed_on(self, saved: SaveResult) -> None:
        """The reader gets it, with the reason in Cache-Status."""
        stage = Stage(store=Failing(saves=saved))
        for _ in range(2):
            stage.play(
                get(
                    says(b"page", cache_control="max-age=60"),
                    body=b"page",
                    cache=f"fwd=uri-miss; detail={saved.value}",
                )
            )

    def test_a_post_succeeds_though_nothing_can_be_purged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its reader gets the application's response; the failure is logged."""
        stage = Stage(store=Failing(purges_fail=True))
        stage.play(get(says(b"done"), method="POST", body=b"done"))
        assert [text.partition(":")[0] for text in caplog.messages] == ["gateway.not_forgotten"]

    def test_a_page_that_was_withdrawn_arrives_though_nothing_can_be_purged(self) -> None:
        """The reader gets the new response although the old one could not be purged."""
        stage = Stage(store=Failing(purges_fail=True))
        stage.play(get(says(b"old", cache_control="max-age=1")))
        stage.play(get(says(b"mine", cache_control="no-store"), at=5, body=b"mine"))

    def test_a_purge_that_failed_may_be_tried_again(self) -> None:
        """The error is marked as retryable."""
        with pytest.raises(StoreError) as raised:
            Stage(store=Failing(purges_fail=True)).gateway.purge("http://example.org/")
        assert raised.value.retryable

    def test_a_body_that_was_evicted_is_a_miss(self) -> None:
        """An entry may be evicted between head and body; the page is fetched again."""
        stage = Stage(store=Failing(bodies_vanish=True))
        stage.play(get(says(etag='"a"', cache_control="max-age=60")))
        stage.play(get(says(b"new", cache_control="max-age=60"), body=b"new", cache="fwd=miss"))

    def test_a_body_that_was_evicted_before_its_304(self) -> None:
        """A 304 for an evicted body is followed by a fetch."""
        stage = Stage(store=Failing(bodies_vanish=True))
        stage.play(get(says(etag='"a"', cache_control="max-age=1")))
        stage.play(
            get(
                says(status=304),
                says(b"new"),
                at=5,
                body=b"new",
                origin_headers={"If-None-Match": None},
            )
        )


@pytest.mark.slow
def test_ten_thousand_variants_of_one_page_are_bounded() -> None:
    """The newest 64 variants stay, and each is right."""
    stage = Stage()
    answer = says(vary="X", cache_control="max-age=60")
    for number in range(10_000):
        stage.origin.script[:] = [answer]
        stage.gateway(environ_for(get(headers={"X": str(number)})), ignore_start)
    stage.play(get(headers={"X": "9999"}, cache="hit"))
    stage.play(get(answer, headers={"X": "1"}, cache="fwd=vary-miss"))
    key = b"1 http://example.org/?"
    assert len(stage.store.load(key)) == 64


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Options(site="example.org"), "site must look like"),
        (lambda: Options(site="ftp://example.org"), "site must look like"),
        (lambda: Options(heuristic_fraction=2), "between 0 and 1"),
        (lambda: Options.shield(heuristic_fraction=-1), "between 0 and 1"),
    ],
)
def test_options_refuse_what_makes_no_sense(make: Callable[[], Options], complaint: str) -> None:
    """An invalid option raises when the options are created."""
    with pytest.raises(ValueError, match=complaint):
        make()


def test_a_shield_is_the_edge_of_an_origin_of_our_own() -> None:
    """It ignores readers' directives, compresses, drops tracking parameters and resets Age."""
    options = Options.shield(site="https://example.org")
    assert options.compress
    assert options.reset_age
    assert options.get_on_head
    assert "no-cache" not in options.obeyed_request_directives
    assert "utm_*" in options.ignored_parameters
    assert options.site == "https://example.org"


def test_a_gateway_speaks_for_one_site() -> None:
    """Its pages are stored under the configured site, regardless of Host."""
    gateway = Gateway(lambda _environ, _start: [], store=MemoryStore())
    gateway.bind_site("https://example.org")
    assert gateway.cache_key("/a") == gateway.cache_key("https://example.org/a")
    gateway.bind_site("https://EXAMPLE.org:443")
    with pytest.raises(ValueError, match=r"the site https://EXAMPLE.org:443, not http://"):
        gateway.bind_site("http://example.com")
    with pytest.raises(ValueError, match="must look like"):
        gateway.bind_site("example.org")


def test_what_was_made_in_the_future_is_made_again() -> None:
    """A response stored by a clock that was ahead is revalidated."""
    stage = Stage()
    stage.origin.script[:] = [ScriptedResponse(headers=(("Cache-Control", "max-age=60"),))] * 2
    stage.clock.now += 86_400
    stage.ask(Step())
    assert stage.ask(Step()).cache.startswith("hit")
    stage.clock.now -= 86_400
    assert stage.ask(Step()).cache.startswith("fwd=stale; stored")
    assert stage.ask(Step()).cache.startswith("hit")
