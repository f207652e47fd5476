"""The edge that is not there: every purge succeeds at once."""

from __future__ import annotations

from collections.abc import Sequence

from .base import CallLimits, PurgeTarget


class NullDriver:
    """Forgets nothing, because nothing is kept."""

    limits = CallLimits()

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Do nothing."""

    def purge_everything(self) -> None:
        """Do nothing."""
