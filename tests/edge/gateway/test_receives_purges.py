"""A gateway that purges don't reach: stored responses are revalidated before use."""

from __future__ import annotations

import pytest

from app.edge.gateway.options import Options
from tests.edge.gateway.scripted_origin import Stage, get, says


class PurgeableStage(Stage):
    """A gateway that receives purges until a test changes that."""

    def __init__(self) -> None:
        self.receives_purges = True
        super().__init__(Options.shield(receives_purges=lambda: self.receives_purges))


PAGE = says(
    b"old",
    etag='"1"',
    cache_control="max-age=600, stale-while-revalidate=60, stale-if-error=600",
)
ANSWERS = {
    "confirmed": (get(says(status=304, etag='"1"', cache_control="max-age=600"), body=b"old")),
    "changed": (get(says(b"new", etag='"2"', cache_control="max-age=600"), body=b"new")),
    "the origin fails": (get(says(fails=True), body=b"old")),
    "the origin is broken": (get(says(status=503), body=b"old")),
}


@pytest.mark.parametrize("step", ANSWERS.values(), ids=ANSWERS)
def test_what_is_fresh_is_asked_for_all_the_same(step: object) -> None:
    """Each request revalidates; if the origin fails, the stored page is served like a stale one."""
    stage = PurgeableStage()
    stage.play(get(PAGE))
    stage.receives_purges = False
    for _ in range(2):
        assert stage.play(step).cache.startswith("fwd=stale")  # type: ignore[arg-type] # a Step
    stage.receives_purges = True
    assert stage.play(get()).cache.startswith("hit")


def test_what_is_not_there_is_fetched_as_ever() -> None:
    """The page is also stored, for the time when purges reach the gateway again."""
    stage = PurgeableStage()
    stage.receives_purges = False
    assert stage.play(get(PAGE)).cache.startswith("fwd=uri-miss; stored")
