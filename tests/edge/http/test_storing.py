"""Which responses are stored, and the first reason not to store one."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    dates,
    freshness,
    storing,
    targeted,
)
from app.edge.http.fields import HeaderFields

NOW = 784111777.0


def after(seconds: float) -> str:
    """Return the HTTP date that lies this many seconds after NOW."""
    return dates.format_http_date(NOW + seconds)


CREDENTIALS: dict[str, tuple[str, bool]] = {
    "nothing": ("max-age=60", False),
    "public": ("max-age=60, public", True),
    "must-revalidate": ("max-age=60, must-revalidate", True),
    "s-maxage": ("s-maxage=60", True),
    "s-maxage=0": ("s-maxage=0", True),
    "proxy-revalidate is not among them": ("max-age=60, proxy-revalidate", False),
    "immutable is not among them": ("max-age=60, immutable", False),
}


def decide(
    *lines: tuple[str, str], status: int = 200, credentials: bool = False, personal: bool = False
) -> str:
    """Return the reason of the decision to store, or not to."""
    fields = HeaderFields([("ETag", '"a"'), *lines])
    obeyed = targeted.effective_directives(fields, ())
    candidate = storing.StorageCandidate(
        status=status,
        fields=fields,
        effective=obeyed,
        lifetime=freshness.explicit_lifetime(fields, obeyed, received_at=NOW),
        has_credentials=credentials,
        personal=personal,
    )
    return storing.decide_storage(candidate).reason


class TestStoring:
    """Which responses are stored."""

    @pytest.mark.parametrize(("line", "stored"), CREDENTIALS.values(), ids=CREDENTIALS)
    def test_a_response_to_credentials_needs_a_directive(self, line: str, stored: bool) -> None:
        """RFC 9111 section 3.5."""
        reason = decide(("Cache-Control", line), credentials=True)
        assert reason == ("storable" if stored else "authorization")
        assert decide(("Cache-Control", line)) == "storable"

    COOKIES: ClassVar[dict[str, tuple[str, str]]] = {
        "no list": ("max-age=60", "set-cookie"),
        "another private field": ('max-age=60, private="X-User"', "set-cookie"),
        "a private field": ('max-age=60, private="Set-Cookie"', "storable"),
        "another no-cache field": ('max-age=60, no-cache="X-User"', "set-cookie"),
        "a no-cache field": ('max-age=60, no-cache="set-cookie, X"', "storable"),
    }

    @pytest.mark.parametrize(("line", "reason"), COOKIES.values(), ids=COOKIES)
    def test_a_cookie_is_stored_only_without_its_field(self, line: str, reason: str) -> None:
        """The list must name Set-Cookie itself."""
        assert decide(("Cache-Control", line), ("Set-Cookie", "a=b")) == reason

    PERSONAL: ClassVar[dict[str, tuple[tuple[tuple[str, str], ...], str]]] = {
        "no lifetime": ((), "personal"),
        "public": ((("Cache-Control", "public"),), "storable"),
        "a lifetime": ((("Cache-Control", "max-age=60"),), "storable"),
        "Expires": ((("Expires", after(60)),), "storable"),
    }

    @pytest.mark.parametrize(("lines", "reason"), PERSONAL.values(), ids=PERSONAL)
    def test_a_response_to_a_cookie_says_that_it_may_be_shared(
        self, lines: tuple[tuple[str, str], ...], reason: str
    ) -> None:
        """By `public` or by an explicit lifetime."""
        assert decide(*lines, personal=True) == reason

    FIRST_REASONS: ClassVar[dict[str, tuple[tuple[tuple[str, str], ...], int, str]]] = {
        "status before private": ((("Cache-Control", "private"),), 206, "status"),
        "no-store before private": ((("Cache-Control", "private, no-store"),), 200, "no-store"),
        "private before set-cookie": (
            (("Cache-Control", "private"), ("Set-Cookie", "a=b")),
            200,
            "private",
        ),
        "set-cookie before vary": ((("Set-Cookie", "a=b"), ("Vary", "*")), 200, "set-cookie"),
        "must-understand before no-store": (
            (("Cache-Control", "no-store, must-understand"),),
            299,
            "must-understand",
        ),
        "must-understand replaces no-store": (
            (("Cache-Control", "no-store, must-understand, max-age=9"),),
            200,
            "storable",
        ),
        "the first status": ((("Cache-Control", "max-age=9"),), 199, "status"),
        "the last status": ((("Cache-Control", "max-age=9"),), 599, "storable"),
        "after the last status": ((("Cache-Control", "max-age=9"),), 600, "status"),
    }

    @pytest.mark.parametrize(
        ("lines", "status", "reason"), FIRST_REASONS.values(), ids=FIRST_REASONS
    )
    def test_the_first_reason_is_reported(
        self, lines: tuple[tuple[str, str], ...], status: int, reason: str
    ) -> None:
        """In the order of the rules."""
        assert decide(*lines, status=status) == reason
