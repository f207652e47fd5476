"""An edge in a dict, for tests: it can be told to misbehave, call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from .base import Limits, PurgeError, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call goes wrong; with `acts` the edge forgets the pages and fails all the same."""

    error: Exception
    acts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that the edge received; `everything` has no targets."""

    targets: tuple[Target, ...] = ()
    everything: bool = False
    failed: bool = False


class MemoryDriver:
    """Keeps bodies by URL until it is told to forget them.

    `script` gives the fault of each next call, or None for a call that goes well; when it ends,
    all go well. `received` hears of each call as it arrives.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        script: Iterator[Fault | None] | None = None,
        received: Callable[[Call], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.script = script or iter(())
        self.received = received
        self.entries: dict[str, str] = {}
        self.calls: list[Call] = []
        self._lock = Lock()

    def store(self, url: str, body: str) -> None:
        """Keep a page."""
        with self._lock:
            self.entries[url] = body

    def read(self, url: str) -> str | None:
        """A page, if it is kept."""
        return self.entries.get(url)

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget these pages."""
        if len(targets) > self.limits.batch:
            raise PurgeError(f"{len(targets)} targets in one call are too many", retryable=False)
        self._answer(Call(targets=tuple(targets)))

    def purge_everything(self) -> None:
        """Forget all pages."""
        self._answer(Call(everything=True))

    def _answer(self, call: Call) -> None:
        with self._lock:
            fault = next(self.script, None)
            failed = fault is not None
            call = Call(targets=call.targets, everything=call.everything, failed=failed)
            self.calls.append(call)
            if fault is None or fault.acts:
                self._forget(call)
        if self.received is not None:
            self.received(call)
        if fault is not None:
            raise fault.error

    def _forget(self, call: Call) -> None:
        if call.everything:
            self.entries.clear()
        for target in call.targets:
            self.entries.pop(target.url, None)
