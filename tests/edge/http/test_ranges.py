"""Range: the parts that are selected, and the limits of the field."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    ranges,
)


class TestRanges:
    """The parts of a body of ten bytes that a Range selects."""

    PARTS: ClassVar[dict[str, tuple[str, list[tuple[int, int]] | None]]] = {
        "the first byte": ("bytes=0-0", [(0, 1)]),
        "the last byte": ("bytes=9-9", [(9, 10)]),
        "from the last byte": ("bytes=9-", [(9, 10)]),
        "from the end": ("bytes=10-", None),
        "a suffix of one byte": ("bytes=-1", [(9, 10)]),
        "a suffix of everything": ("bytes=-10", [(0, 10)]),
        "a suffix that is longer": ("bytes=-11", [(0, 10)]),
        "a suffix of nothing": ("bytes=-0", None),
        "a stop beyond the end": ("bytes=5-99", [(5, 10)]),
        "one byte after another": ("bytes=0-0,1-1", [(0, 2)]),
        "one byte between": ("bytes=0-0,2-2", [(0, 1), (2, 3)]),
        "in another order": ("bytes=5-6,0-1", [(5, 7), (0, 2)]),
        "one inside of the other": ("bytes=0-8,2-3", [(0, 9)]),
        "one that exists": ("bytes=10-,3-3", [(3, 4)]),
        "inverted": ("bytes=4-3", []),
        "equal bounds": ("bytes=4-4", [(4, 5)]),
        "no bounds": ("bytes=-", []),
        "no parts": ("bytes=,", []),
        "spaces": (" Bytes = 0-0 , 2-2".replace(" =", "="), [(0, 1), (2, 3)]),
        "another unit": ("items=0-0", []),
        "no unit": ("0-0", []),
        "four parts": ("bytes=0-0,2-2,4-4,6-6", [(0, 1), (2, 3), (4, 5), (6, 7)]),
        "five parts": ("bytes=0-0,2-2,4-4,6-6,8-8", []),
        "sixty-four parts in one": ("bytes=" + ",".join(["1-1"] * 64), [(1, 2)]),
        "sixty-five parts in one": ("bytes=" + ",".join(["1-1"] * 65), []),
        "eighteen digits": ("bytes=0-" + "9" * 18, [(0, 10)]),
        "nineteen digits": ("bytes=0-" + "9" * 19, []),
        "1024 characters": ("bytes=0-0" + " " * 1015, [(0, 1)]),
        "1025 characters": ("bytes=0-0" + " " * 1016, []),
    }

    @pytest.mark.parametrize(("header", "parts"), PARTS.values(), ids=PARTS)
    def test_the_parts(self, header: str, parts: list[tuple[int, int]] | None) -> None:
        """None is a 416, an empty list the whole body."""
        if parts is None:
            with pytest.raises(ranges.RangeNotSatisfiableError):
                ranges.select_ranges(header, 10)
            return
        selection = ranges.select_ranges(header, 10)
        assert [(part.start, part.stop) for part in selection] == parts
        assert all(part.length == 10 for part in selection)

    def test_a_single_range_is_one_part(self) -> None:
        """Two parts select the whole body."""
        assert str(ranges.select_range("bytes=2-3", 10)) == "bytes 2-3/10"
        assert ranges.select_range("bytes=2-3,5-6", 10) is None
        assert str(ranges.select_range("bytes=2-3,4-6", 10)) == "bytes 2-6/10"
