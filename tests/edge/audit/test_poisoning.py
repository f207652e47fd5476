"""Which differences of three responses show a poisoned cache or a trusted header."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.edge.audit.check import CheckContext
from app.edge.audit.checks import cache_poisoning
from app.edge.audit.exchange import Exchange, ProbeRequest
from app.edge.audit.site_address import SiteAddress
from app.edge.http.fields import HeaderFields

MARK = "edge-check-ab12.invalid"
CONTEXT = CheckContext(address=SiteAddress.parse("https://example.org"), token="ab12")


def exchange(status: int = 200, *, location: str = "", body: str = "") -> Exchange:
    """Return an exchange with this response."""
    lines = [("Content-Type", "text/html"), *([("Location", location)] if location else [])]
    request = ProbeRequest(target="/")
    return Exchange(request=request, status=status, fields=HeaderFields(lines), body=body.encode())


PLAIN = exchange()
MOVED = exchange(301, location="/new")
MARKED_LOCATION = exchange(301, location=f"https://{MARK}/new")
MARKED_BODY = exchange(body=f"<a href='https://{MARK}/'>")
CASES = {
    "all alike": (PLAIN, PLAIN, PLAIN, set()),
    "a poisoned Location": (MARKED_LOCATION, MARKED_LOCATION, MOVED, {"poisoned"}),
    "a poisoned body": (MARKED_BODY, MARKED_BODY, PLAIN, {"poisoned"}),
    "a poisoned status": (exchange(500), exchange(500), PLAIN, {"poisoned"}),
    "only the next reader": (PLAIN, MARKED_BODY, PLAIN, {"poisoned"}),
    "a trusted Location": (MARKED_LOCATION, MOVED, MOVED, {"header-believed"}),
    "a trusted body": (MARKED_BODY, PLAIN, PLAIN, {"header-believed"}),
    "a trusted status": (exchange(302), PLAIN, PLAIN, {"header-believed"}),
    "a refusal": (exchange(400, body=MARK), PLAIN, PLAIN, set()),
    "a misdirected request": (exchange(421), PLAIN, PLAIN, set()),
    "a validated copy": (exchange(304), exchange(304), PLAIN, set()),
    "a redirect like that of the reference": (MOVED, MOVED, MOVED, set()),
}


@pytest.mark.parametrize(
    ("poisoned_host", "clean", "reference", "finding_codes"), CASES.values(), ids=CASES
)
def test_a_difference_from_the_reference_is_a_finding(
    poisoned_host: Exchange, clean: Exchange, reference: Exchange, finding_codes: set[str]
) -> None:
    """A poisoned copy counts more than a trusted header."""
    probe = next(iter(cache_poisoning.CHECK.probes(CONTEXT)))
    findings = probe.evaluate(
        [
            replace(response, request=request)
            for response, request in zip(
                (poisoned_host, clean, reference), probe.requests, strict=True
            )
        ]
    )
    assert {finding.id for finding in findings} == finding_codes


def test_each_attack_has_a_page_of_its_own() -> None:
    """Its second request has the usual headers, and the third one asks for another page."""
    probes = list(cache_poisoning.CHECK.probes(CONTEXT))
    poisoned_host, clean, references = zip(*(probe.requests for probe in probes), strict=True)
    assert [request.target for request in poisoned_host] == [request.target for request in clean]
    assert len({request.target for request in clean}) == len(probes)
    assert len({request.target for request in references}) == 1
    assert all(len(a.headers) > len(c.headers) for a, c in zip(poisoned_host, clean, strict=True))
