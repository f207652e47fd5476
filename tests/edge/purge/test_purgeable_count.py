"""How long a count of purgeable edges is used, and what is used without one."""

from __future__ import annotations

from threading import Event

from app.edge.purge.purgeable_count import (
    FIRST_READ_TIMEOUT,
    MAX_AGE,
    REFRESH_AFTER,
    PurgeableCountCache,
)


class FakeMonotonic:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


class CountQuery:
    """Returns the result that a test sets, and counts its calls."""

    def __init__(self, result: int | Exception) -> None:
        self.result = result
        self.call_count = 0
        self.called_event = Event()

    def __call__(self) -> int:
        """Return the result or raise it."""
        self.call_count += 1
        try:
            if isinstance(self.result, Exception):
                raise self.result
            return self.result
        finally:
            self.called_event.set()

    def wait(self) -> None:
        """Wait for the next call."""
        assert self.called_event.wait(10)
        self.called_event.clear()


def becomes(trust: PurgeableCountCache, expected: int) -> bool:
    """Return whether the cache returns the expected count within two seconds."""
    return any(trust() == expected for _ in range(200) if not Event().wait(0.01))


def test_the_first_count_is_waited_for() -> None:
    """A new process does not cap its first page."""
    trust = PurgeableCountCache(CountQuery(2), monotonic=FakeMonotonic())
    assert FIRST_READ_TIMEOUT > 0
    assert becomes(trust, 2)


def test_a_count_is_refreshed_in_the_background() -> None:
    """Until then the last count is used, and not every request reads it."""
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


def test_an_old_count_is_not_used() -> None:
    """While the database is unavailable, an old count is not used."""
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
