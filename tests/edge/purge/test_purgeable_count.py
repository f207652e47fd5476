"""How long an answer on the edges counts, and what counts when there is none."""

from __future__ import annotations

from threading import Event

from app.edge.purge.purgeable_count import (
    FIRST_READ_TIMEOUT,
    MAX_AGE,
    REFRESH_AFTER,
    PurgeableCountCache,
)


class Ticks:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What has passed."""
        return self.now


class Look:
    """Says what a test wants to be seen, and counts how often it was asked."""

    def __init__(self, seen: int | Exception) -> None:
        self.seen = seen
        self.asked = 0
        self.done = Event()

    def __call__(self) -> int:
        """Look."""
        self.asked += 1
        try:
            if isinstance(self.seen, Exception):
                raise self.seen
            return self.seen
        finally:
            self.done.set()

    def wait(self) -> None:
        """Wait until it was asked once more."""
        assert self.done.wait(10)
        self.done.clear()


def settled(trust: PurgeableCountCache, expected: int) -> bool:
    """Whether the answer of a thread arrives."""
    return any(trust() == expected for _ in range(200) if not Event().wait(0.01))


def test_the_first_answer_is_waited_for() -> None:
    """A process that has just started does not cap its first page."""
    trust = PurgeableCountCache(Look(2), ticks=Ticks())
    assert FIRST_READ_TIMEOUT > 0
    assert settled(trust, 2)


def test_an_answer_is_asked_for_again_behind_the_readers_back() -> None:
    """Until then the last one counts, and not every reader asks."""
    ticks, look = Ticks(), Look(2)
    trust = PurgeableCountCache(look, ticks=ticks)
    trust.refresh()
    look.seen = 0
    ticks.now += REFRESH_AFTER / 2
    assert (trust(), look.asked) == (2, 1)
    ticks.now += REFRESH_AFTER
    assert trust() in {2, 0}
    assert settled(trust, 0)
    assert look.asked == 2


def test_an_old_answer_counts_for_nothing() -> None:
    """The database is away: nobody knows whether the edges can be purged."""
    ticks, look = Ticks(), Look(2)
    trust = PurgeableCountCache(look, ticks=ticks)
    trust.refresh()
    look.done.clear()
    look.seen = OSError("away")
    ticks.now += MAX_AGE - 1
    assert trust() == 2
    look.wait()
    ticks.now += 2
    assert trust() == 0
    look.seen = 2
    assert settled(trust, 2)
