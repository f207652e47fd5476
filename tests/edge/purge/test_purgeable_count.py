"""How long an answer on the edges counts, and what counts when there is none."""

from __future__ import annotations

from threading import Event

from app.edge.purge.purgeable_count import (
    FIRST_READ_TIMEOUT,
    MAX_AGE,
    REFRESH_AFTER,
    PurgeableCountCache,
)


class FakeMonotonic:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What has passed."""
        return self.now


class CountQuery:
    """Says what a test wants to be seen, and counts how often it was asked."""

    def __init__(self, result: int | Exception) -> None:
        self.result = result
        self.call_count = 0
        self.called_event = Event()

    def __call__(self) -> int:
        """Look."""
        self.call_count += 1
        try:
            if isinstance(self.result, Exception):
                raise self.result
            return self.result
        finally:
            self.called_event.set()

    def wait(self) -> None:
        """Wait until it was asked once more."""
        assert self.called_event.wait(10)
        self.called_event.clear()


def becomes(trust: PurgeableCountCache, expected: int) -> bool:
    """Whether the answer of a thread arrives."""
    return any(trust() == expected for _ in range(200) if not Event().wait(0.01))


def test_the_first_answer_is_waited_for() -> None:
    """A process that has just started does not cap its first page."""
    trust = PurgeableCountCache(CountQuery(2), monotonic=FakeMonotonic())
    assert FIRST_READ_TIMEOUT > 0
    assert becomes(trust, 2)


def test_an_answer_is_asked_for_again_behind_the_readers_back() -> None:
    """Until then the last one counts, and not every reader asks."""
    ticks, look = FakeMonotonic(), CountQuery(2)
    trust = PurgeableCountCache(look, monotonic=ticks)
    trust.refresh()
    look.result = 0
    ticks.now += REFRESH_AFTER / 2
    assert (trust(), look.call_count) == (2, 1)
    ticks.now += REFRESH_AFTER
    assert trust() in {2, 0}
    assert becomes(trust, 0)
    assert look.call_count == 2


def test_an_old_answer_counts_for_nothing() -> None:
    """The database is away: nobody knows whether the edges can be purged."""
    ticks, look = FakeMonotonic(), CountQuery(2)
    trust = PurgeableCountCache(look, monotonic=ticks)
    trust.refresh()
    look.called_event.clear()
    look.result = OSError("away")
    ticks.now += MAX_AGE - 1
    assert trust() == 2
    look.wait()
    ticks.now += 2
    assert trust() == 0
    look.result = 2
    assert becomes(trust, 2)
