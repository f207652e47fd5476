"""Report the problems that the app knows of, such as a template with an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, CheckContext
from ..exchange import Exchange
from ..findings import AuditFinding, FindingLevel, FindingType

PROBLEM = FindingType(
    id="app-problem",
    level=FindingLevel.WARNING,
    title="A file of the app has an error, so the app does not use it.",
    advice="Correct the file and release the site again.",
)


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for problem in context.profile.app_problems if context.profile else ():
        yield PROBLEM.with_evidence(problem)


CHECK = Check(
    name="app",
    question="Does the app use all of its own files?",
    finding_types=(PROBLEM,),
    inspect=_inspect,
)
