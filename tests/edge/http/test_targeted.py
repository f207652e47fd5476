"""The field whose directives are obeyed."""

from __future__ import annotations

import pytest

from app.edge.http import (
    targeted,
)
from app.edge.http.cache_control import Directives
from app.edge.http.fields import HeaderFields

TARGETED: dict[str, tuple[list[tuple[str, str]], str, str]] = {
    "the first field": ([("a", "max-age=1"), ("b", "max-age=2")], "a", "max-age=1"),
    "the second, if the first is absent": ([("b", "max-age=2")], "b", "max-age=2"),
    "the second, if the first is empty": ([("a", ""), ("b", "max-age=2")], "b", "max-age=2"),
    "the second, if the first is malformed": (
        [("a", "max-age=1 x"), ("b", "max-age=2")],
        "b",
        "max-age=2",
    ),
    "two lines": ([("a", "max-age=1"), ("a", "public")], "a", "max-age=1, public"),
    "a directive that is false": ([("a", "max-age=1, no-store=?0")], "a", "max-age=1"),
    "Cache-Control": ([("cache-control", "max-age=3")], "cache-control", "max-age=3"),
}


@pytest.mark.parametrize(("lines", "source", "text"), TARGETED.values(), ids=TARGETED)
def test_the_first_valid_field_is_obeyed(
    lines: list[tuple[str, str]], source: str, text: str
) -> None:
    """RFC 9213 section 2.2: in the order of the cache's own list."""
    fields = HeaderFields(lines if source == "cache-control" else [*lines, ("cache-control", "x")])
    obeyed = targeted.effective_directives(fields, ("a", "b"))
    assert (obeyed.source, obeyed.directives) == (source, Directives.parse([text]))
    assert obeyed.is_targeted is (source != "cache-control")


def test_a_quoted_number_in_a_targeted_field_is_no_number() -> None:
    """RFC 9213: the argument must be an integer."""
    fields = HeaderFields([("a", 'max-age="60"')])
    assert targeted.effective_directives(fields, ("a",)).directives.delta_seconds("max-age") == 0
