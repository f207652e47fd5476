from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.edge.cdn.cloudfront.sigv4 import AwsSigner, UnsignedRequest, query_string

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SIGNER = AwsSigner(
    key="AKIDEXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
    service="service",
)
PLAIN = UnsignedRequest(method="GET", host="example.amazonaws.com", path="/")
FORM = b"Param1=value1"
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
UNRESERVED = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

VECTORS = {
    "get-vanilla": (
        PLAIN,
        "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-vanilla-with-session-token": (
        PLAIN,
        TOKEN,
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    "get-vanilla-query-order-key-case": (
        replace(PLAIN, query={"Param2": "value2", "Param1": "value1"}),
        "",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-unreserved": (
        replace(PLAIN, path=UNRESERVED),
        "",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-utf8": (
        replace(PLAIN, path="/ሴ"),
        "",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-header-value-trim": (
        replace(PLAIN, headers={"My-Header1": " value1", "My-Header2": ' "a   b   c"'}),
        "",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "post-x-www-form-urlencoded": (
        replace(
            PLAIN,
            method="POST",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Content-Length": "13",
                "x-amz-content-sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            },
            body=FORM,
        ),
        "",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
}
"""Signatures that AWS publishes for its own test of this scheme, by their names there."""


@pytest.mark.parametrize("name", VECTORS)
def test_it_signs_as_aws_does(name: str) -> None:
    """The same requests have the same signatures."""
    request, session, signature = VECTORS[name]
    signed = replace(SIGNER, session=session).sign(request, NOW)
    assert signed["Authorization"].endswith(f"Signature={signature}")
    assert signed["X-Amz-Date"] == "20150830T123600Z"
    assert signed.get("X-Amz-Security-Token", "") == session


def test_the_moment_counts_and_not_how_it_is_written() -> None:
    """A signature is dated in UTC."""
    other_timezone = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert SIGNER.sign(PLAIN, other_timezone) == SIGNER.sign(PLAIN, NOW)
    assert SIGNER.sign(PLAIN, NOW + timedelta(seconds=1)) != SIGNER.sign(PLAIN, NOW)


def test_a_query_is_sent_as_it_is_signed() -> None:
    """Sorted, and encoded down to what needs no encoding."""
    assert query_string({"b": "x y/~", "a": "é"}) == "a=%C3%A9&b=x%20y%2F~"


def test_a_signer_does_not_show_its_secret() -> None:
    """Not even to a debugger."""
    assert "wJalr" not in repr(SIGNER)
