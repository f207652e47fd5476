"""The interface of a driver, its limits, and the error that it raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, runtime_checkable

BRIEF = timedelta(minutes=1)
"""`CallLimits.ignored_lifetime` of edges that bill or limit purges page by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeTarget:
    """One page to purge, by tag or URL as the driver prefers.

    `site` is the base URL of `url` at the time of registration. The process that delivers the
    purge may have other settings, so its own site is used only if `site` is empty.
    `hard_purge`: the edge must not serve the old copy again, not even while the origin fails.
    `idempotency_key` is equal for all attempts of one purge; empty if unknown.
    """

    url: str
    tag: str = ""
    site: str = ""
    hard_purge: bool = False
    idempotency_key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What the purge API of an edge accepts.

    `batch` targets per call, `burst` calls at once, `per_second` on average (None: unlimited).
    `timeout` bounds one call of the driver; a claim lasts `timeout + claim_margin`. The margin is
    zero if two calls for one page do no harm. A page with a TTL of at most `ignored_lifetime` is
    not purged but expires: readers can request any number of such pages (404s, searches), and
    each purge would cost money or quota.
    """

    batch: int = 100
    per_second: float | None = None
    burst: int = 1
    timeout: timedelta = timedelta(seconds=10)
    claim_margin: timedelta = timedelta(seconds=20)
    ignored_lifetime: timedelta = timedelta(0)

    def to_text(self) -> str:
        """Text for the command line."""
        pages = "1 page" if self.batch == 1 else f"{self.batch} pages"
        if self.per_second is None:
            return f"up to {pages} a call, unlimited calls"
        pace = f"{self.per_second:g} calls a second"
        if self.per_second < 1:
            pace = f"{self.per_second * 60:g} calls a minute"
        return f"up to {pages} a call, {pace}, {self.burst} at once"

    def __post_init__(self) -> None:
        if self.batch < 1 or self.burst < 1 or self.timeout <= timedelta(0):
            raise ValueError("an edge needs a batch, a burst and a timeout greater than zero")
        if self.ignored_lifetime < timedelta(0):
            raise ValueError("ignored_lifetime can't be negative")
        if self.per_second is not None and self.per_second <= 0:
            raise ValueError("an edge needs a rate greater than zero; None means unlimited")


class PurgeError(Exception):
    """An edge could not be purged.

    `retryable`: the same call may succeed later. `retry_after`: the time that the edge asked to
    wait. `credentials_rejected`: every call will fail until a person corrects the credentials.
    The message is printed and logged, so it contains no secret.
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
        """Combine errors into one, which is retryable if one of them is."""
        waits = [error.retry_after for error in errors if error.retry_after is not None]
        return cls(
            "; ".join(dict.fromkeys(map(str, errors))),
            retryable=any(error.retryable for error in errors),
            retry_after=max(waits, default=None),
            credentials_rejected=all(error.credentials_rejected for error in errors),
        )


class Driver(Protocol):
    """Purges pages at one edge; when a call returns, the edge has accepted the purge.

    Any thread may call it. Purging twice does no harm. A driver that purges by URL sets
    `purges_by_url`: it does not purge copies under another URL of the page, such as one with a
    tracker. A driver that purges by tag sets `purges_by_tag`: it needs only one of several targets
    with the same tag.
    """

    @property
    def limits(self) -> CallLimits:
        """What the purge API accepts."""

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages, at most `limits.batch`; raises PurgeError."""

    def purge_everything(self) -> None:
        """Purge all pages of the site; raises PurgeError."""


@runtime_checkable
class SupportsCheck(Protocol):
    """A driver that can check its credentials without purging a page."""

    def check(self) -> None:
        """Send a request to the edge; raises PurgeError."""
