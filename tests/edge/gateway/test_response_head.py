from __future__ import annotations

import pytest

from app.edge.gateway.response_head import ResponseHead

LINES = [
    ("200 OK", 200, "OK", "200 OK"),
    ("404  Not Found ", 404, "Not Found", "404 Not Found"),
    ("299", 299, "Unknown", "299 Unknown"),
    ("299 ", 299, "Unknown", "299 Unknown"),
    ("099 Early", 99, "Early", "099 Early"),
    ("2x0 OK", 500, "OK", "500 OK"),
    ("+20 OK", 500, "OK", "500 OK"),
    ("2\xb20 OK", 500, "OK", "500 OK"),
    ("\u0662\u0660\u0660 OK", 500, "OK", "500 OK"),
    ("", 500, "Unknown", "500 Unknown"),
]


@pytest.mark.parametrize(("line", "status", "reason", "status_line"), LINES)
def test_a_status_line_has_a_number_and_a_reason(
    line: str, status: int, reason: str, status_line: str
) -> None:
    """A line without three digits is an error of the application: a 500."""
    head = ResponseHead.from_wsgi(line, [], requested_at=0, received_at=0)
    assert (head.status, head.reason, head.status_line) == (status, reason, status_line)


@pytest.mark.parametrize("name", ["Date", "date", "DATE"])
def test_a_date_of_the_application_stays(name: str) -> None:
    """Even if its value is invalid."""
    pairs = [(name, "x"), ("X-A", "b")]
    head = ResponseHead.from_wsgi("200 OK", pairs, requested_at=0, received_at=0)
    assert head.pairs == tuple(pairs)


def test_a_response_without_a_date_gets_the_time_of_its_arrival() -> None:
    """RFC 9110 section 6.6.1."""
    head = ResponseHead.from_wsgi("200 OK", [("X-A", "b")], requested_at=0, received_at=86_400)
    assert head.pairs == (("X-A", "b"), ("Date", "Fri, 02 Jan 1970 00:00:00 GMT"))
    assert head.fields.first("date") == "Fri, 02 Jan 1970 00:00:00 GMT"
