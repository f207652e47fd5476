"""Headers with capped lifetimes while caches downstream of the gateway can't be purged."""

from __future__ import annotations

import pytest

from app.edge.gateway import capped_headers
from app.edge.gateway.options import Options
from tests.edge.gateway.scripted_origin import Received, ScriptedResponse, Stage, Step, get, says

LONG = "max-age=86400"
SHORT = "max-age=60"
INSTEAD = (
    capped_headers.FIELD,
    capped_headers.format_capped_headers({"0": [("CDN-Cache-Control", SHORT)]}),
)


def page(own: str = "max-age=600", *, body: bytes = b"page", status: int = 200) -> ScriptedResponse:
    """Return a response with both normal and capped headers for a CDN."""
    also = [("Broadsheet-Cache-Control", own), ("CDN-Cache-Control", LONG), INSTEAD]
    return says(body, status=status, also=also, etag='"1"')


class Doubting(Stage):
    """A gateway whose edges can be purged until a test sets a cap level."""

    def __init__(self) -> None:
        self.word = ""
        self.word_for_misspelt = ""
        options = Options.shield(cap_level=self.doubt, max_body_size=1000)
        super().__init__(options)

    def doubt(self, misspelt: bool) -> str:
        """Return the cap level for a request."""
        return self.word_for_misspelt if misspelt else self.word


def cdn_header(response: Received) -> str | None:
    """Return the header for the CDN; internal fields are never sent."""
    names = {name.lower() for name, _ in response.headers}
    assert names.isdisjoint({capped_headers.FIELD_LOWER, "broadsheet-cache-control"})
    return response.header("CDN-Cache-Control")


def test_what_was_stored_in_good_times_is_brief_in_bad_ones() -> None:
    """When the edges can be purged again, the normal headers are sent."""
    stage = Doubting()
    assert cdn_header(stage.play(get(page()))) == LONG
    stage.word = "0"
    hit = stage.play(get())
    assert cdn_header(hit) == SHORT
    assert hit.cache == "hit; ttl=600; detail=capped"
    stage.word = ""
    second = stage.play(get())
    assert (cdn_header(second), second.cache) == (LONG, "hit; ttl=600")


def test_a_doubt_that_changes_nothing_says_nothing() -> None:
    """The page has no capped lines for this level."""
    stage = Doubting()
    stage.play(get(page()))
    stage.word = "1"
    response = stage.play(get())
    assert (cdn_header(response), response.cache) == (LONG, "hit; ttl=600")


def test_a_page_under_another_url_than_its_own_may_be_brief_alone() -> None:
    """An edge that is purged by URL stores it as a separate object, which no purge finds."""
    stage = Doubting()
    stage.word_for_misspelt = "0"
    missed = stage.play(get(page(), target="/a?utm_source=mail"))
    hit = stage.play(get(target="/a?utm_source=post"))
    assert (cdn_header(missed), cdn_header(hit)) == (SHORT, SHORT)
    assert cdn_header(stage.play(get(target="/a"))) == LONG


STALE = "max-age=600, stale-while-revalidate=600, stale-if-error=9000"
WAYS = {
    "a miss": ([], get(page())),
    "what is too large to keep": ([], get(page(body=b"x" * 2000))),
    "what is passed on": ([], get(page(), method="POST")),
    "a head": ([get(page())], get(method="HEAD")),
    "a 304": ([get(page())], get(status=304, headers={"If-None-Match": '"1"'})),
    "a part": ([get(page())], get(status=206, headers={"Range": "bytes=0-1"})),
    "what was confirmed": (
        [get(page())],
        get(page(status=304), at=700),
    ),
}


@pytest.mark.parametrize(("before", "step"), WAYS.values(), ids=WAYS)
def test_every_way_out_is_brief_in_doubt(before: list[Step], step: Step) -> None:
    """Responses from the store and from the origin are capped."""
    for word, expected in (("0", SHORT), ("", LONG)):
        stage = Doubting()
        for each in before:
            stage.play(each)
        stage.word = stage.word_for_misspelt = word
        assert cdn_header(stage.play(step)) == expected


OLD = {
    "while it is refreshed": get(page(STALE), at=700),
    "instead of an error": get(says(fails=True), at=2000),
    "instead of a failure": get(says(status=503), at=2000),
}


@pytest.mark.parametrize("step", OLD.values(), ids=OLD)
def test_what_is_stale_is_brief_whoever_can_be_purged(step: Step) -> None:
    """A cache that ignores Age would store it for the full lifetime."""
    stage = Doubting()
    stage.play(get(page(STALE)))
    response = stage.play(step)
    assert cdn_header(response) == SHORT
    assert "capped" not in response.cache
    assert "stale" in response.cache
