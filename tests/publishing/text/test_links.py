"""Where a bare URL in a text ends."""

from __future__ import annotations

import pytest

from app.publishing.text.links import trim_url


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://a.example/b.", "https://a.example/b"),
        ("https://a.example/b?!", "https://a.example/b"),
        ("https://a.example/b)", "https://a.example/b"),
        ("https://a.example/b_(c)", "https://a.example/b_(c)"),
        ("https://a.example/b).", "https://a.example/b"),
        ("?!", ""),
    ],
)
def test_a_url_ends_before_the_punctuation_of_its_sentence(written: str, url: str) -> None:
    """A parenthesis belongs to the URL if it was opened in it."""
    assert trim_url(written) == url
