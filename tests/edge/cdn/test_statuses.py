"""What a status and a Retry-After of a purge API mean for the next call."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.edge.cdn.api_client import ApiClient, ApiResponse, Credentials
from app.edge.cdn.retry_after import MAX_RETRY_AFTER, parse_retry_after

NOON = "Thu, 01 Jan 2026 12:00:00 GMT"
SECOND = timedelta(seconds=1)
WAITS = {
    "seconds": ({"Retry-After": "7"}, 7 * SECOND),
    "no wait": ({"Retry-After": "0"}, 0 * SECOND),
    "seconds with spaces": ({"Retry-After": " 7 "}, 7 * SECOND),
    "an hour": ({"Retry-After": "3600"}, MAX_RETRY_AFTER),
    "more than an hour": ({"Retry-After": "3601"}, MAX_RETRY_AFTER),
    "a hundred digits": ({"Retry-After": "9" * 100}, MAX_RETRY_AFTER),
    "nothing": ({}, None),
    "an empty value": ({"Retry-After": ""}, None),
    "a negative number": ({"Retry-After": "-1"}, None),
    "a fraction": ({"Retry-After": "1.5"}, None),
    "other digits": ({"Retry-After": "٣"}, None),
    "a date": ({"Retry-After": "Thu, 01 Jan 2026 12:00:09 GMT", "Date": NOON}, 9 * SECOND),
    "a date that is past": (
        {"Retry-After": "Thu, 01 Jan 2026 11:00:00 GMT", "Date": NOON},
        0 * SECOND,
    ),
    "a date of the next day": (
        {"Retry-After": "Fri, 02 Jan 2026 12:00:00 GMT", "Date": NOON},
        MAX_RETRY_AFTER,
    ),
    "a date without Date": ({"Retry-After": NOON}, None),
    "a word, with Date": ({"Retry-After": "soon", "Date": NOON}, None),
}


@pytest.mark.parametrize(("headers", "wait"), WAITS.values(), ids=WAITS)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], wait: timedelta | None) -> None:
    """A date is compared with the Date of the response, and an hour is the longest wait."""
    assert parse_retry_after(headers) == wait


STATUSES = {
    400: (False, False, None),
    401: (True, True, None),
    402: (False, False, None),
    403: (True, True, None),
    404: (False, False, None),
    407: (False, False, None),
    408: (True, False, 7 * SECOND),
    413: (False, False, None),
    422: (False, False, None),
    425: (True, False, 7 * SECOND),
    429: (True, False, 7 * SECOND),
    499: (False, False, None),
    500: (True, False, 7 * SECOND),
    503: (True, False, 7 * SECOND),
    599: (True, False, 7 * SECOND),
}


def respond(status: int, body: bytes = b"") -> ApiResponse:
    """Return a response that asks for seven seconds."""
    return ApiResponse(status=status, headers=httpx.Headers({"Retry-After": "7"}), body=body)


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_decides_whether_the_call_is_repeated(status: int) -> None:
    """Rate limits and failures are; a refusal is not; credentials need a person."""
    retryable, refused_key, wait = STATUSES[status]
    error = ApiClient("edge", "http://127.0.0.1:1").status_error(respond(status), "why")
    assert (error.retryable, error.credentials_rejected, error.retry_after) == (
        retryable,
        refused_key,
        wait,
    )
    assert str(error).startswith("edge: ")
    assert str(error).endswith(f"({status}): why")


def test_advice_is_given_only_for_rejected_credentials() -> None:
    """It says which setting to correct."""
    client = ApiClient("edge", "http://127.0.0.1:1")
    assert str(client.status_error(respond(403), hint="set EDGE_TOKEN")).endswith(
        "(403); set EDGE_TOKEN"
    )
    assert "EDGE_TOKEN" not in str(client.status_error(respond(400), hint="set EDGE_TOKEN"))


def test_a_message_of_an_edge_is_one_short_line_without_secrets() -> None:
    """A message of the longest length is whole; one more character is cut."""
    client = ApiClient("edge", "http://127.0.0.1:1", credentials=Credentials(secrets=("s3cret",)))
    assert client.redact(" a s3cret\r\n\tb\x00") == "a … b"
    assert client.redact("x" * 200) == "x" * 200
    assert client.redact("x" * 201) == "x" * 200 + "…"


@pytest.mark.parametrize(("status", "is_redirect"), [(299, False), (300, True), (399, True)])
def test_a_redirect_is_never_an_answer(status: int, is_redirect: bool) -> None:
    """A portal answers instead of the API; the same call may succeed later."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, headers={"Location": "http://evil.example/"})

    http_client = httpx.Client(transport=httpx.MockTransport(answer))
    credentials = Credentials(headers={"Authorization": "Bearer t"})
    client = ApiClient(
        "edge", "http://api.example/v1/", credentials=credentials, client=http_client
    )
    if is_redirect:
        with pytest.raises(Exception, match="unexpected redirect") as error_info:
            client.request("POST", "/purge?x=%2A", headers={"X-A": "b"}, content=b"c")
        assert error_info.value.retryable  # type: ignore[attr-defined]  # a PurgeError
    else:
        assert client.request("POST", "/purge?x=%2A").status == status
    (request,) = requests
    assert str(request.url) == "http://api.example/v1/purge?x=%2A"
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["Accept-Encoding"] == "identity"


BODIES = {
    "an object": (b'{"a": 1}', "application/json", {"a": 1}, False),
    "a list": (b"[1]", "application/json", None, False),
    "no JSON": (b"x", "text/plain", None, False),
    "HTML by its type": (b"x", "Text/HTML", None, True),
    "HTML by its beginning": (b" \n<!DocType html>", "", None, True),
    "HTML without a doctype": (b"<HTML>", "", None, True),
}


@pytest.mark.parametrize(("body", "kind", "document", "is_html"), BODIES.values(), ids=BODIES)
def test_a_body_is_a_json_object_or_none(
    body: bytes, kind: str, document: dict[str, int] | None, is_html: bool
) -> None:
    """An HTML page comes from a portal."""
    headers = httpx.Headers({"Content-Type": kind})
    response = ApiResponse(status=200, headers=headers, body=body)
    assert (response.json(), response.is_html) == (document, is_html)
