"""How the values of site settings are read."""

from __future__ import annotations

import pytest

from app.publishing.editing.site_values import parse_link


@pytest.mark.parametrize(
    ("text", "label", "url"),
    [
        ("Imprint = /imprint", "Imprint", "/imprint"),
        ("Imprint=/imprint", "Imprint", "/imprint"),
        ("Imprint = ours = /imprint", "Imprint = ours", "/imprint"),
        ("Search = https://example.com/?q=1&r=2", "Search", "https://example.com/?q=1&r=2"),
        ("Imprint", "Imprint", ""),
        ("Imprint =", "Imprint", ""),
    ],
)
def test_the_last_equals_sign_between_spaces_separates_text_and_url(
    text: str, label: str, url: str
) -> None:
    """A URL has no spaces, so its own equals signs and those of the text are kept."""
    assert parse_link(text) == {"text": label, "url": url}
