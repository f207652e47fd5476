"""Check that the whole site could be audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...name import TITLE
from ..check import Check, CheckContext
from ..exchange import Exchange
from ..findings import AuditFinding, FindingLevel, FindingType

LOOPBACK = FindingType(
    id="loopback",
    level=FindingLevel.NOTE,
    title="This is the local machine: there is no CDN in front.",
    advice="Check the public address as well, from another machine.",
)
PLAIN = FindingType(
    id="plain-http",
    level=FindingLevel.NOTE,
    title="The site is checked over plain HTTP.",
    advice="Check https as readers use it; edges often treat the two differently.",
)
NOT_OURS = FindingType(
    id="not-ours",
    level=FindingLevel.NOTE,
    title=f"This is not a {TITLE} site, or an older version: only its headers are checked.",
    advice=(
        f"If it should be a {TITLE} site, compare the versions, and check "
        "whether the edge serves another origin."
    ),
)
NO_ANSWER = FindingType(
    id="no-answer",
    level=FindingLevel.ERROR,
    title="A request got no response.",
    advice="Read the logs of the edge and of the origin for this URL.",
)
UNFINISHED = FindingType(
    id="unfinished",
    level=FindingLevel.WARNING,
    title="The audit reached its limit of time or requests before its end.",
    advice=("The site is slow: run the audit again, with a larger --timeout if necessary."),
)
FAILED = FindingType(
    id="page-fails",
    level=FindingLevel.ERROR,
    title="A page that the site itself links to does not answer with 200.",
    advice="Open the page in a browser, and read the origin's log.",
)
ENDLESS = FindingType(
    id="body-cut",
    level=FindingLevel.WARNING,
    title="A body has no end, or is too large to be checked completely.",
    advice=("A cache can't store a response that never ends: check the response of this URL."),
)


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if context.address.is_loopback:
        yield LOOPBACK.with_evidence(context.address.url)
    elif not context.address.is_https:
        yield PLAIN.with_evidence(context.address.url)
    for visit in context.visits:
        if visit.last.status != 200 and visit.page.kind != "sitemap":  # noqa: PLR2004 - OK
            yield FAILED.with_evidence(f"the {visit.page.kind}, {visit.last.to_text()}")
        if visit.last.is_truncated and visit.page.kind not in {"sitemap", "media"}:
            yield ENDLESS.with_evidence(f"the {visit.page.kind}, {visit.last.to_text()}")


CHECK = Check(
    name="reach",
    question="Could the whole site be checked?",
    finding_types=(LOOPBACK, PLAIN, NOT_OURS, NO_ANSWER, UNFINISHED, FAILED, ENDLESS),
    inspect=_inspect,
)
