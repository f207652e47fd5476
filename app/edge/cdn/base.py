"""What every driver promises, and what may go wrong between us and an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, runtime_checkable

BRIEF = timedelta(minutes=1)
"""`Limits.ignored_lifetime` of edges that bill or limit purges page by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeTarget:
    """A page that an edge shall forget: by its tag or by its URL, as the driver prefers.

    `site` is the address that `url` is a path of, as the page was registered. The process that
    delivers the purge may have other settings, so its own site counts only where this is empty.
    `gone`: it may have lost something that must not be shown any more, so an edge that could keep
    it for when the origin fails must not. `ticket` is the same for each try of one purge and
    another for every other one; empty where nobody knows.
    """

    url: str
    tag: str = ""
    site: str = ""
    hard_purge: bool = False
    idempotency_key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What an edge puts up with.

    `batch` targets a call; `burst` calls at once and `per_second` on average, where None means
    no limit. `timeout` is the longest that one call of the driver takes, and a claim outlasts it
    by `slack`: by nothing where two calls for one page do no harm. A page that the edge may keep
    for at most `ignored_lifetime` is left to expire there: readers can ask for any number of such
    pages (404s, searches), and each purge of one would cost money or quota.
    """

    batch: int = 100
    per_second: float | None = None
    burst: int = 1
    timeout: timedelta = timedelta(seconds=10)
    claim_margin: timedelta = timedelta(seconds=20)
    ignored_lifetime: timedelta = timedelta(0)

    def to_text(self) -> str:
        """The same for people."""
        pages = "1 page" if self.batch == 1 else f"{self.batch} pages"
        if self.per_second is None:
            return f"up to {pages} a call, no limit of calls"
        pace = f"{self.per_second:g} calls a second"
        if self.per_second < 1:
            pace = f"{self.per_second * 60:g} calls a minute"
        return f"up to {pages} a call, {pace}, {self.burst} at once"

    def __post_init__(self) -> None:
        if self.batch < 1 or self.burst < 1 or self.timeout <= timedelta(0):
            raise ValueError("an edge takes at least one target a call, and a call takes time")
        if self.ignored_lifetime < timedelta(0):
            raise ValueError("ignored_lifetime can't be negative")
        if self.per_second is not None and self.per_second <= 0:
            raise ValueError("an edge that takes no calls can't be purged: leave the rate out")


class PurgeError(Exception):
    """An edge could not be purged.

    `retryable`: the same call may succeed later. `retry_after`: the edge said when. `credential`:
    the edge does not accept who we say we are, so nothing will succeed until a person acts.
    The message is shown to people: it names no secret.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = True,
        retry_after: timedelta | None = None,
        credentials_rejected: bool = False,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after
        self.credentials_rejected = credentials_rejected

    @classmethod
    def combine(cls, errors: Sequence[PurgeError]) -> PurgeError:
        """One error for several: worth another try as long as one of them is."""
        waits = [error.retry_after for error in errors if error.retry_after is not None]
        return cls(
            "; ".join(dict.fromkeys(map(str, errors))),
            retryable=any(error.retryable for error in errors),
            retry_after=max(waits, default=None),
            credentials_rejected=all(error.credentials_rejected for error in errors),
        )


class Driver(Protocol):
    """Tells one edge to forget pages; a call that returns was accepted by the edge.

    Any thread may call it. Purging twice does no harm. One that purges by URL says `by_url`: what
    the edge got under another URL of the page, such as one with a tracker, it does not find. One
    that purges by tag says `by_tag`: of targets with the same tag it needs one.
    """

    @property
    def limits(self) -> CallLimits:
        """What the edge puts up with."""

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Make the edge forget these pages, at most `limits.batch`; raises PurgeError."""

    def purge_everything(self) -> None:
        """Make the edge forget all pages of the site; raises PurgeError."""


@runtime_checkable
class SupportsCheck(Protocol):
    """A driver that can tell whether its credentials suffice, without purging."""

    def check(self) -> None:
        """Send a request to the edge; raises PurgeError."""
