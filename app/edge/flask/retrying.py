"""Retry failed purges at once, after an operator has fixed the cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..policy.policy import PolicyError
from ..purge.maintenance import resume_tier, retry_dead_letters
from ..purge.membership import tiers_to_purge
from .explain import tracker_of
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedTier:
    """One tier, and the number of its failed purges that are sent again."""

    name: str
    purges: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """The tiers whose back-off was ended."""

    tiers: tuple[RetriedTier, ...]

    def to_lines(self) -> Iterator[str]:
        """Return lines for people."""
        if not self.tiers:
            yield "No edge is purged by this site."
        for tier in self.tiers:
            purges = "1 purge" if tier.purges == 1 else f"{tier.purges} purges"
            yield f"{tier.name}: back-off ended; {purges} that failed will be sent again."

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict."""
        return asdict(self)


def retry_purges(app: Flask, name: str = "") -> Retried:
    """End the back-off of one tier, or of all, and send its failed purges again.

    Dead letters are tried from their first attempt again. Raises PolicyError for an unknown tier.
    """
    tracker, now = tracker_of(app), state_of(app).clock()
    with tracker.change_log_transaction() as connection:
        tiers = tiers_to_purge(connection, tracker.front.tiers)
        selected_tiers = [tier for tier in tiers if name in {"", tier.name}]
        if name and not selected_tiers:
            tier_names = ", ".join(sorted(tier.name for tier in tiers)) or "none"
            raise PolicyError(f"{name!r} is not a tier that is purged. Known tiers: {tier_names}.")
        retried = []
        for tier in selected_tiers:
            resume_tier(connection, tier.name)
            retried.append(
                RetriedTier(name=tier.name, purges=retry_dead_letters(connection, tier, now))
            )
    return Retried(tiers=tuple(sorted(retried, key=lambda tier: tier.name)))
