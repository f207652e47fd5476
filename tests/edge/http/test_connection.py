"""Hop-by-hop fields, and fields that Connection can not remove."""

from __future__ import annotations

import pytest

from app.edge.http import (
    connection,
)
from app.edge.http.fields import HeaderFields


class TestConnection:
    """Fields that Connection removes from a message."""

    @pytest.mark.parametrize("name", sorted(connection.PROTECTED))
    def test_a_protected_field_is_not_removed(self, name: str) -> None:
        """Without it the next recipient would read another message."""
        fields = HeaderFields([("Connection", f"x-a, {name.title()}"), (name, "1")])
        assert connection.hop_by_hop(fields) == connection.HOP_BY_HOP | {"x-a"}

    @pytest.mark.parametrize("name", ["content-length", "content-x", "x-forwarded-for"])
    def test_a_field_of_a_protected_family_is_not_removed(self, name: str) -> None:
        """`Content-…` and `X-Forwarded-…`."""
        assert connection.nominated((f"{name}, x-a",)) == {"x-a"}

    @pytest.mark.parametrize("name", ["contents", "x-forwarded", "xvia", "etag", "authorization"])
    def test_other_fields_are_removed(self, name: str) -> None:
        """On every line, in any case, with spaces."""
        assert connection.nominated(("close", f" {name.upper()}\t")) == {"close", name}
        assert connection.named_fields(f"{name}, te, keep-alive, a_b") == {name}
