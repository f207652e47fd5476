"""Local times with their time zone: the hour that does not exist, and the one that comes twice.

Pure: no clock and no database. The instant is what is stored; a zone only reads and shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from app.publishing.errors import Invalid

FORMAT = "%Y-%m-%dT%H:%M"
"""As the browser sends a local date and time."""


class AmbiguousTimeError(Invalid):
    """The local time does not exist or comes twice; `choices` are the instants to choose from."""

    def __init__(self, sentence: str, choices: tuple[datetime, ...]) -> None:
        super().__init__("due", sentence)
        self.choices = choices


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """A date and time as a person wrote it, and the name of its zone.

    `offset` is the offset from UTC, in minutes, of a time that comes twice.
    """

    text: str
    zone: str
    offset: int | None = None


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names of all zones that this system knows, such as Europe/Berlin."""
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))


@cache
def _all_zones() -> frozenset[str]:
    """Return all names, also old ones such as GMT or Japan, which a site may have as its zone."""
    return frozenset(available_timezones())


def find_zone(name: str) -> ZoneInfo:
    """Return the zone; raises Invalid for a name that this system does not know."""
    if name not in _all_zones():
        raise Invalid("zone", f"{name!r} is no time zone. Choose one such as Europe/Berlin.")
    return ZoneInfo(name)


def to_instant(local: LocalTime) -> datetime:
    """Return the instant in UTC; raises Invalid, or AmbiguousTimeError with the choices."""
    zone = find_zone(local.zone)
    try:
        naive = datetime.strptime(local.text[:16], FORMAT)  # noqa: DTZ007 - the zone is given apart
    except ValueError:
        raise Invalid("due", "Write the date and time as 2026-05-04 09:30.") from None
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    # In a gap, fold 0 has the offset from before it, which gives the later instant.
    instants = tuple(sorted((first.astimezone(UTC), second.astimezone(UTC))))
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise AmbiguousTimeError(
            f"{_spoken(naive)} does not exist in {local.zone}: the clocks are set forward. "
            "Choose one of the times around it.",
            instants,
        )
    for instant in instants:
        if local.offset is not None and _offset(instant.astimezone(zone)) == local.offset:
            return instant
    raise AmbiguousTimeError(
        f"{_spoken(naive)} comes twice in {local.zone}: the clocks are set back. Choose which one.",
        instants,
    )


def to_local(instant: datetime, zone: str) -> LocalTime:
    """Return the instant as a person in the zone writes it."""
    local = instant.astimezone(find_zone(zone))
    return LocalTime(text=local.strftime(FORMAT), zone=zone, offset=_offset(local))


def describe(instant: datetime, zone: str) -> str:
    """Return the instant in words: 4 May 2026, 09:30 (Europe/Berlin, UTC+02:00)."""
    local = instant.astimezone(find_zone(zone))
    minutes = _offset(local)
    sign = "+" if minutes >= 0 else "-"
    offset = f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f"{local.day} {local:%B %Y, %H:%M} ({zone}, {offset})"


def _offset(local: datetime) -> int:
    return int((local.utcoffset() or timedelta(0)) / timedelta(minutes=1))


def _spoken(naive: datetime) -> str:
    return f"{naive.day} {naive:%B %Y, %H:%M}"
