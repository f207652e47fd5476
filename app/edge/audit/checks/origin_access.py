"""Origin: whether it answers past the CDN; asked only when its address was named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, Seen, Trial
from ..exchange import BROWSER, Ask, Exchange
from ..findings import Finding, Kind, Level

OPEN = Kind(
    id="origin-open",
    level=Level.WARNING,
    title="The origin answers whoever finds its address, past the CDN.",
    advice="Let it accept connections from the CDN alone: by its address ranges, an authenticated "
    "pull or a secret header.",
)


def _trials(seen: Seen) -> Iterator[Trial]:
    if seen.origin is None:
        return
    for name in (seen.address.authority, seen.origin.authority):
        ask = Ask(target="/", headers=(*BROWSER, ("Host", name)), past=True)
        yield Trial(asks=(ask,), judge=_judge, silence_is_fine=True)


def _judge(got: Sequence[Exchange]) -> Iterator[Finding]:
    if 200 <= got[0].status < 300:  # noqa: PLR2004 - success
        yield OPEN.found(got[0].words())


CHECK = Check(
    name="origin",
    question="Does the origin answer past the CDN?",
    kinds=(OPEN,),
    trials=_trials,
)
