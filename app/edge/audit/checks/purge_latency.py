"""Check how long it takes from a purge until the edge serves the new page."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Check
from ..findings import AuditFinding, FindingLevel, FindingType
from ..purge_timing import PurgeTiming

LATE = FindingType(
    id="purge-late",
    level=FindingLevel.WARNING,
    title="A purge takes longer than five seconds to reach the edge.",
    advice=(
        "Check `flask edge status`: is there a backlog, does the edge answer "
        "429, does a relay run, does the gateway of a machine that is gone "
        "delay it?"
    ),
)
LOST = FindingType(
    id="purge-lost",
    level=FindingLevel.ERROR,
    title="A purged page did not become fresh at the edge.",
    advice=(
        "Check `flask edge status`: does a relay run, are the edge's "
        "credentials set, and does this site use the database in which the "
        "purge was queued?"
    ),
)
UNKEPT = FindingType(
    id="purge-unmeasured",
    level=FindingLevel.WARNING,
    title="The edge does not store the probe page, so no purge could be measured.",
    advice="Fix the findings about pages that are not stored first.",
)
MAX_SECONDS = 5.0


def judge(timing: PurgeTiming) -> Iterator[AuditFinding]:
    """Return the findings of a measurement."""
    if not timing.was_cached:
        yield UNKEPT.with_evidence(timing.target)
    elif timing.seconds is None:
        yield LOST.with_evidence(f"{timing.target} was still old after {timing.waited:.0f} seconds")
    elif timing.seconds > MAX_SECONDS:
        yield LATE.with_evidence(f"{timing.target} was fresh after {timing.seconds:.1f} seconds")


CHECK = Check(
    name="freshness",
    question=("How long does it take from a commit until the edge serves the new page?"),
    finding_types=(LATE, LOST, UNKEPT),
)
