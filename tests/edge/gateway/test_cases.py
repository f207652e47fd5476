from __future__ import annotations

import pytest

from tests.edge.gateway import cases_9110, cases_9111, cases_extensions
from tests.edge.gateway.scripted_origin import Case, Stage
from tests.edge.gateway.socket_origin import wired

CASES = [*cases_9110.CASES, *cases_9111.CASES, *cases_extensions.CASES]
#: Here the test's HTTP server has the last word: it refuses long lines, adds a Date where there is
#: none and a Content-Length to a 304.
SERVERS_OWN = {
    "9110-15.4.5-a-304-carries-what-guides-caches",
    "hostile-a-flood-of-cookies-changes-nothing",
    "hostile-cache-control-of-a-reader",
    "hostile-sixty-four-kilobytes-of-everything",
}
OVER_HTTP = [case for case in CASES if case.id not in SERVERS_OWN]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_gateway_does_what_the_section_says(case: Case) -> None:
    """Each step has the expected response and number of requests to the origin."""
    stage = Stage(case.options)
    for step in case.steps:
        stage.play(step)
    stage.store.close()


@pytest.mark.live
@pytest.mark.parametrize("case", OVER_HTTP, ids=lambda case: case.id)
def test_the_same_holds_over_http(case: Case) -> None:
    """The same table runs over a gateway, a proxy and an origin on sockets."""
    with wired(options=case.options) as stage:
        for step in case.steps:
            stage.play(step)
