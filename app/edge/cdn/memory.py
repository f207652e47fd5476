"""An edge in a dict, for tests: it can be told to misbehave, call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from .base import CallLimits, PurgeError, PurgeTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverFault:
    """How one call goes wrong; with `acts` the edge forgets the pages and fails all the same."""

    error: Exception
    acts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCall:
    """One call that the edge received; `everything` has no targets."""

    targets: tuple[PurgeTarget, ...] = ()
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
        limits: CallLimits | None = None,
        script: Iterator[DriverFault | None] | None = None,
        on_call: Callable[[DriverCall], None] | None = None,
    ) -> None:
        self.limits = limits or CallLimits()
        self.script = script or iter(())
        self.on_call = on_call
        self.entries: dict[str, str] = {}
        self.calls: list[DriverCall] = []
        self._lock = Lock()

    def store(self, url: str, body: str) -> None:
        """Keep a page."""
        with self._lock:
            self.entries[url] = body

    def get_body(self, url: str) -> str | None:
        """A page, if it is kept."""
        return self.entries.get(url)

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget these pages."""
        if len(targets) > self.limits.batch:
            raise PurgeError(f"{len(targets)} targets in one call are too many", retryable=False)
        self._answer(DriverCall(targets=tuple(targets)))

    def purge_everything(self) -> None:
        """Forget all pages."""
        self._answer(DriverCall(everything=True))

    def _answer(self, call: DriverCall) -> None:
        with self._lock:
            fault = next(self.script, None)
            failed = fault is not None
            call = DriverCall(targets=call.targets, everything=call.everything, failed=failed)
            self.calls.append(call)
            if fault is None or fault.acts:
                self._forget(call)
        if self.on_call is not None:
            self.on_call(call)
        if fault is not None:
            raise fault.error

    def _forget(self, call: DriverCall) -> None:
        if call.everything:
            self.entries.clear()
        for target in call.targets:
            self.entries.pop(target.url, None)
