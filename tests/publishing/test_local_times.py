from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.publishing.errors import Invalid
from app.publishing.local_times import (
    AmbiguousTimeError,
    LocalTime,
    describe,
    to_instant,
    to_local,
    zone_names,
)

PLAIN = [
    ("2026-05-04T09:30", "Europe/Berlin", "2026-05-04T07:30"),
    ("2026-01-04T09:30", "Europe/Berlin", "2026-01-04T08:30"),
    ("2026-05-04T09:30", "UTC", "2026-05-04T09:30"),
    ("2026-05-04T09:30", "Japan", "2026-05-04T00:30"),
    ("2026-05-04T09:30", "GMT", "2026-05-04T09:30"),
    ("2026-05-04T09:30", "Asia/Kolkata", "2026-05-04T04:00"),
    ("2026-05-04T09:30:59", "UTC", "2026-05-04T09:30"),
]


@pytest.mark.parametrize(("text", "zone", "utc"), PLAIN)
def test_a_local_time_is_one_instant(text: str, zone: str, utc: str) -> None:
    """And the instant is shown as the same local time."""
    instant = to_instant(LocalTime(text=text, zone=zone))
    assert instant == datetime.fromisoformat(f"{utc}+00:00")
    assert to_local(instant, zone).text == text[:16]


AMBIGUOUS = [
    ("2026-03-29T02:30", "Europe/Berlin", "does not exist", ("00:30", "01:30")),
    ("2026-10-25T02:30", "Europe/Berlin", "comes twice", ("00:30", "01:30")),
    ("2026-04-05T01:45", "Australia/Lord_Howe", "comes twice", ("14:45", "15:15")),
    ("2026-10-04T02:15", "Australia/Lord_Howe", "does not exist", ("15:15", "15:45")),
    ("2011-12-30T12:00", "Pacific/Apia", "does not exist", ("22:00", "22:00")),
]


@pytest.mark.parametrize(("text", "zone", "sentence", "choices"), AMBIGUOUS)
def test_an_hour_that_is_missing_or_comes_twice_is_a_choice(
    text: str, zone: str, sentence: str, choices: tuple[str, str]
) -> None:
    """The earlier instant stands first; a whole day can be missing."""
    with pytest.raises(AmbiguousTimeError, match=sentence) as raised:
        to_instant(LocalTime(text=text, zone=zone))
    assert raised.value.field == "due"
    instants = raised.value.choices
    assert instants[0] < instants[1]
    assert tuple(f"{instant:%H:%M}" for instant in instants) == choices


def test_the_offset_chooses_one_of_two_times() -> None:
    """An offset that fits neither is no choice."""
    times = [LocalTime(text="2026-10-25T02:30", zone="Europe/Berlin", offset=m) for m in (60, 120)]
    assert [to_instant(time).hour for time in times] == [1, 0]
    assert [to_local(to_instant(time), "Europe/Berlin") for time in times] == times
    with pytest.raises(AmbiguousTimeError):
        to_instant(LocalTime(text="2026-10-25T02:30", zone="Europe/Berlin", offset=0))


@pytest.mark.parametrize("text", ["", "x", "2026-13-01T00:00", "2026-05-04", "0000-00-00T00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With an example of how to write one."""
    with pytest.raises(Invalid, match="2026-05-04 09:30"):
        to_instant(LocalTime(text=text, zone="UTC"))


def test_an_unknown_zone_is_refused() -> None:
    """Also one that would be a path."""
    for zone in ("Mars/Base", "../etc/passwd", "", "/etc/localtime"):
        with pytest.raises(Invalid, match="no time zone"):
            to_instant(LocalTime(text="2026-05-04T09:30", zone=zone))
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= set(zone_names())


def test_an_instant_is_described_with_its_zone() -> None:
    """So that nobody has to guess which clock is meant."""
    instant = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
    assert describe(instant, "Europe/Berlin") == "4 May 2026, 09:30 (Europe/Berlin, UTC+02:00)"
    assert describe(instant, "America/St_Johns").endswith("(America/St_Johns, UTC-02:30)")
