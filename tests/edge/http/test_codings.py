"""The content coding that Accept-Encoding selects."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    codings,
)


class TestCodings:
    """The coding that a body is sent in."""

    CHOICES: ClassVar[dict[str, tuple[str | None, str]]] = {
        "nothing": (None, "identity"),
        "an empty field": ("", "identity"),
        "both": ("gzip, br", "br"),
        "the heavier one": ("br;q=0.5, gzip;q=0.6", "gzip"),
        "any": ("*", "br"),
        "any but one": ("br;q=0, *", "gzip"),
        "identity is heavier": ("gzip;q=0.5, identity;q=0.6", "identity"),
        "identity is as heavy": ("gzip;q=0.5, identity;q=0.5", "gzip"),
        "nothing is acceptable": ("gzip;q=0, br;q=0, identity;q=0", "identity"),
        "an old name": ("x-gzip", "gzip"),
        "a weight of zero": ("gzip;q=0.000", "identity"),
        "the smallest weight": ("gzip;q=0.001", "gzip"),
        "a weight above one": ("gzip;q=1.9, br;q=1", "br"),
        "a malformed weight": ("br;q=2, gzip", "gzip"),
        "1024 characters": ("gzip" + " " * 1020, "gzip"),
        "1025 characters": ("gzip" + " " * 1021, "identity"),
    }

    @pytest.mark.parametrize(("header", "coding"), CHOICES.values(), ids=CHOICES)
    def test_the_choice(self, header: str | None, coding: str) -> None:
        """By weight, then in the order of the server."""
        assert codings.choose_coding(header, ("br", "gzip", "identity")) == coding
