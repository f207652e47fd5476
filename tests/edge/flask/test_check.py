from __future__ import annotations

import pytest
from flask import Flask


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["example.org"], "The URL has no scheme"),
        (["https://example.org/blog"], "The URL has a path"),
        (["https://root:secret@example.org"], "a user name or a password"),
        (["https://example.org", "--origin", "origin"], "The URL has no scheme"),
        (["https://example.org", "--timeout", "0"], "--timeout"),
        (["https://example.org", "--purge"], "This app does not track its pages"),
    ],
    ids=[
        "no scheme",
        "a path",
        "a password",
        "an origin that is none",
        "no time",
        "nothing to purge",
    ],
)
def test_what_can_not_be_checked_is_told_with_status_2(
    app: Flask, arguments: list[str], sentence: str
) -> None:
    """One sentence on stderr, and no request is sent."""
    result = app.test_cli_runner().invoke(args=["edge", "check", *arguments])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "secret" not in result.output
    assert result.stdout == ""
