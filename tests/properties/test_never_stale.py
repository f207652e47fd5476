"""The promise that everything else serves: after a commit no page in the gateway is old.

`DEPTH=ci` and `STEPS=5000` take more steps; `SEED` repeats a walk.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.depth import SEED, STEPS

from .never_stale.caches import Gateway
from .never_stale.databases import SqliteFile
from .never_stale.purge_statistics import Tally
from .never_stale.random_walk import prove
from .never_stale.site_pair import Newsroom, short_lists

PRECISION = 0.8
ENOUGH = 1000
"""With fewer steps than these the precision is a matter of luck."""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_page_is_stale_over_sqlite(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every write each page in the gateway equals its fresh render."""
    short_lists(monkeypatch)
    with closing(Newsroom(tmp_path, SqliteFile(tmp_path, migrated))) as newsroom:
        print_tally(prove(newsroom, Gateway(newsroom.site), count=STEPS, seed=SEED))


def print_tally(tally: Tally) -> None:
    """Report how precise the purges were; most of what is purged has changed."""
    print("\n".join(tally.words()))  # noqa: T201 - the precision is a result
    text = f"SEED={SEED}: " + "\n".join(tally.words())
    assert tally.precision > PRECISION or tally.steps.total() < ENOUGH, text
