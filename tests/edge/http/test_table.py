"""The gateway's table of cases, run through the pure functions as far as they decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.edge.http import dates, freshness, reuse, storing, targeted
from app.edge.http.fields import HeaderFields
from tests.edge.gateway.scripted_origin import START
from tests.edge.gateway.test_cases import CASES

if TYPE_CHECKING:
    from tests.edge.gateway.scripted_origin import Case, ScriptedResponse, Step

TARGETS = ("broadsheet-cache-control", "cdn-cache-control")
#: What the gateway finds out from the body, the store or its options, not from the header.
BEYOND = ("incomplete", "too-large", "content-length", "refused", "failed")


def fields_of(response: ScriptedResponse, at: float) -> HeaderFields:
    """Return the header that the scripted origin sends."""
    dated = [] if response.date is None else [("Date", dates.format_http_date(at + response.date))]
    return HeaderFields([*response.headers, *dated])


def candidate_of(response: ScriptedResponse, step: Step) -> storing.StorageCandidate:
    """Return the StorageCandidate of this response."""
    at = START + step.at + response.takes
    fields = fields_of(response, at)
    obeyed = targeted.effective_directives(fields, TARGETS)
    wishes = reuse.parse_request_directives(
        [step.headers.get("Cache-Control", "")], None, {"no-store"}
    )
    return storing.StorageCandidate(
        status=response.status,
        fields=fields,
        effective=obeyed,
        lifetime=freshness.explicit_lifetime(fields, obeyed, received_at=at),
        has_credentials="Authorization" in step.headers,
        request_no_store="no-store" in wishes,
    )


def fetches() -> list[object]:
    """Return each first fetch of the table whose decision depends only on the header."""
    return [
        pytest.param(case.steps[0], id=case.id)
        for case in CASES
        if case.options is None
        and case.steps[0].method == "GET"
        and len(case.steps[0].origin) == 1
        and (case.steps[0].cache or "").startswith(("fwd=uri-miss; stored", "fwd=uri-miss; detail"))
        and not any(word in (case.steps[0].cache or "") for word in BEYOND)
    ]


@pytest.mark.parametrize("step", fetches())
def test_the_verdict_on_storing(step: Step) -> None:
    """The reason equals the one in the gateway's Cache-Status."""
    verdict = storing.decide_storage(candidate_of(step.origin[0], step))
    expected = (step.cache or "").partition("detail=")[2]
    assert (verdict.reason, verdict.store) == (expected or "storable", not expected)


def hits() -> list[object]:
    """Return each case whose second step is served from the response stored by the first."""
    return [
        pytest.param(case, id=case.id)
        for case in CASES
        if case.options is None
        and len(case.steps) > 1
        and len(case.steps[0].origin) == 1
        and not case.steps[1].origin
        and (case.steps[1].cache or "").startswith("hit")
        and case.steps[1].target == case.steps[0].target
    ]


@pytest.mark.parametrize("case", hits())
def test_age_and_use_of_what_is_stored(case: Case) -> None:
    """Age and freshness equal those of the gateway, computed from header and clock."""
    first, second = case.steps[:2]
    candidate = candidate_of(first.origin[0], first)
    received_at = START + first.at + first.origin[0].takes
    initial = freshness.corrected_initial_age(
        candidate.fields, requested_at=START + first.at, received_at=received_at
    )
    age = initial + max(START + second.at, received_at) - received_at
    if second.age is not None:
        assert int(age) == second.age
    if second.cache is not None and "ttl=" in second.cache:
        ttl = int(second.cache.partition("ttl=")[2].partition(";")[0])
        assert int((candidate.lifetime.seconds - age) // 1) == ttl


def test_the_table_is_not_empty() -> None:
    """For most of the table the header alone decides."""
    assert len(fetches()) > 40
    assert len(hits()) > 100
