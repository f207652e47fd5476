"""Contract tests for drivers: subclass one of the two classes and give it a `stage` fixture.

```python
class TestOurs(NetworkDriverContract):
    @pytest.fixture
    def stage(self): ...
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

from .base import Driver, PurgeError, PurgeTarget, SupportsCheck

MAX_RETRY_AFTER = timedelta(hours=1)
"""Maximum wait that a driver may take from Retry-After."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an edge ends one call: with a response, a "reset" or "late" (no response in time).

    With `acts` it carries out the purge first.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = ""
    acts: bool = False


class Stage(Protocol):
    """A driver and the edge that it purges, real or fake."""

    @property
    def driver(self) -> Driver:
        """The driver, with a short timeout for an edge that ends a call "late"."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Tokens, passwords and keys that no message may contain."""

    def store(self, target: PurgeTarget) -> None:
        """Store a page at the edge."""

    def keeps(self, target: PurgeTarget) -> bool:
        """Return whether the edge would serve the page without a request to its origin."""


class NetworkStage(Stage, Protocol):
    """A stage whose edge can fail on demand."""

    def ends(self, ending: Ending) -> None:
        """Set how the edge ends its next call."""


def make_target(name: str, *, hard_purge: bool = False) -> PurgeTarget:
    """Return a page for the contract to purge."""
    return PurgeTarget(url=f"/{name}", tag=f"p-{name}", hard_purge=hard_purge)


class DriverContract:
    """Tests for every driver of an edge that stores pages."""

    def test_it_forgets_exactly_these_pages(self, stage: Stage) -> None:
        """A purge leaves all other pages in the cache."""
        pages = [make_target(name) for name in ("a", "b", "c", "ab")]
        for page in pages:
            stage.store(page)
        stage.driver.purge(pages[: stage.driver.limits.batch][:2])
        cached_urls = [page.url for page in pages if stage.keeps(page)]
        expected_urls = [page.url for page in pages[min(2, stage.driver.limits.batch) :]]
        assert cached_urls == expected_urls, f"it keeps {cached_urls} instead of {expected_urls}"

    def test_it_forgets_what_lost_something(self, stage: Stage) -> None:
        """A hard purge removes the page."""
        target = make_target("lost", hard_purge=True)
        stage.store(target)
        stage.driver.purge([target])
        assert not stage.keeps(target), "it still serves a page after a hard purge"

    def test_purging_twice_does_no_harm(self, stage: Stage) -> None:
        """The relay repeats a purge if it does not know whether it was accepted."""
        for _ in range(2):
            stage.driver.purge([make_target("unknown")])
            stage.driver.purge([])

    def test_a_full_batch_is_taken(self, stage: Stage) -> None:
        """The edge accepts `limits.batch` targets with tags as long as those of pages."""
        names = [f"{number:024x}" for number in range(stage.driver.limits.batch)]
        last = make_target(names[-1])
        stage.store(last)
        stage.driver.purge([make_target(name) for name in names])
        assert not stage.keeps(last), "it keeps the last page of a full batch"

    def test_everything_is_forgotten(self, stage: Stage) -> None:
        """A purge of everything removes all pages of the site."""
        pages = [make_target(name) for name in ("x", "y")]
        for page in pages:
            stage.store(page)
        stage.driver.purge_everything()
        cached_urls = [page.url for page in pages if stage.keeps(page)]
        assert not cached_urls, f"it keeps {cached_urls}"

    def test_it_accepts_its_credentials(self, stage: Stage) -> None:
        """The check of a driver with valid credentials succeeds."""
        if isinstance(stage.driver, SupportsCheck):
            stage.driver.check()


class NetworkDriverContract(DriverContract):
    """Further tests for every driver that uses HTTP."""

    def test_bad_credentials_need_a_person(self, stage: NetworkStage) -> None:
        """Rejected credentials are reported as such, so that the relay stops retrying."""
        for status in (401, 403):
            with purge_must_fail(stage, Ending(status=status)) as error:
                pass
            assert error.credentials_rejected, f"{status} is not reported as rejected credentials"

    def test_the_check_finds_bad_credentials(self, stage: NetworkStage) -> None:
        """The check, if the driver has one, reports rejected credentials."""
        if not isinstance(stage.driver, SupportsCheck):
            return
        for _ in range(3):  # the check may send further requests to explain the first response
            stage.ends(Ending(status=403))
        with expect_purge_error(stage, stage.driver.check) as error:
            assert error.credentials_rejected, "a 403 is not reported as rejected credentials"

    def test_patience_is_asked_for_and_has_an_end(self, stage: NetworkStage) -> None:
        """Retry-After is read as seconds or as a date of the edge's clock; nonsense is ignored."""
        date = datetime(2026, 1, 1, tzinfo=UTC)
        waits: dict[str, timedelta | None] = {
            "7": timedelta(seconds=7),
            _http(date + timedelta(seconds=90)): timedelta(seconds=90),
            _http(date - timedelta(days=1)): timedelta(0),
            _http(date + timedelta(days=1)): MAX_RETRY_AFTER,
            "999999999999999999999": MAX_RETRY_AFTER,
            "soon": None,
            "-1": None,
        }
        for header_value, wait in waits.items():
            headers = {"Retry-After": header_value, "Date": _http(date)}
            with purge_must_fail(stage, Ending(status=429, headers=headers)) as error:
                assert error.retryable, "a 429 is not retryable"
            assert error.retry_after == wait, (
                f"Retry-After: {header_value} is read as {error.retry_after}"
            )

    def test_an_edge_that_fails_is_tried_again(self, stage: NetworkStage) -> None:
        """A server error and a closed connection are retryable."""
        endings = [Ending(status=status) for status in (500, 502, 503, 504)]
        for ending in (*endings, Ending(how="reset")):
            with purge_must_fail(stage, ending) as error:
                pass
            assert error.retryable, f"{ending} is not retryable"
            assert not error.credentials_rejected, f"{ending} is reported as rejected credentials"

    def test_what_the_edge_refuses_is_not_tried_again(self, stage: NetworkStage) -> None:
        """A refused call is not retryable: the edge would refuse it again."""
        with purge_must_fail(stage, Ending(status=400)) as error:
            pass
        assert not error.retryable, "a 400 is retryable"

    def test_what_is_no_answer_of_the_edge_is_an_error(self, stage: NetworkStage) -> None:
        """A redirect, an HTML page and a body without end never count as success."""
        html = {"Content-Type": "text/html"}
        for ending in (
            Ending(status=302, headers={"Location": "/elsewhere"}),
            Ending(status=308, headers={"Location": "http://127.0.0.1:9/"}),
            Ending(headers=html, body=b"<!DOCTYPE html><title>Log in</title>"),
            Ending(headers=html, body=b"x" * 1_000_000),
        ):
            with purge_must_fail(stage, ending) as error:
                pass
            assert error.retryable, f"{ending.status} is not retryable"

    def test_a_call_that_was_acted_upon_may_fail_all_the_same(self, stage: NetworkStage) -> None:
        """The driver can't know, so it reports a failure; the same call succeeds later."""
        for how in ("reset", "late"):
            stage.store(make_target("acted"))
            stage.ends(Ending(how=how, acts=True))
            with expect_purge_error(
                stage, lambda: stage.driver.purge([make_target("acted")])
            ) as error:
                assert error.retryable, "it is not retryable"
            assert not stage.keeps(make_target("acted")), "the edge did not act"
            stage.driver.purge([make_target("acted")])

    def test_no_secret_is_shown(self, stage: NetworkStage) -> None:
        """No `repr` and no error contains a secret, even if the edge quotes it."""
        texts = [repr(stage.driver), str(stage.driver)]
        for secret in stage.secrets:
            quoted = f'{{"msg": "{secret}", "Message": "{secret}", "success": false, "errors": '
            quoted += f'[{{"code": 1, "message": "{secret}"}}]}}<Message>{secret}</Message>'
            for status in (400, 401, 500):
                with purge_must_fail(stage, Ending(status=status, body=quoted.encode())) as error:
                    texts.append(str(error))
        for secret in stage.secrets:
            assert not any(secret in text for text in texts), "a secret is shown"


@contextmanager
def purge_must_fail(stage: NetworkStage, ending: Ending) -> Iterator[PurgeError]:
    """Purge a page while the edge ends the call like this, and yield the error."""
    stage.ends(ending)
    with expect_purge_error(stage, lambda: stage.driver.purge([make_target("a")])) as error:
        yield error


@contextmanager
def expect_purge_error(stage: Stage, call: Callable[[], None]) -> Iterator[PurgeError]:
    """Yield the PurgeError of a call: one line, without a secret and without a cause."""
    error = _error_of(call)
    message = str(error)
    assert message, "the error has no message"
    assert "\n" not in message, f"the error has several lines: {message!r}"
    assert not any(secret in message for secret in stage.secrets), "a secret is shown"
    assert error.__cause__ is None, "the error has another one as its cause"
    yield error


def _error_of(call: Callable[[], None]) -> PurgeError:
    try:
        call()
    except PurgeError as error:
        return error
    raise AssertionError("the call did not fail")


def _http(at: datetime) -> str:
    return format_datetime(at, usegmt=True)
