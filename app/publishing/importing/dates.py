"""Dates as people and tools write them, made aware datetimes; without a zone they are UTC."""

import re
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any

_ISO = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[Tt ]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?)?"
)
_IN_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_.]|$)")
_IN_PATH = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?:/|$)")


def parse(value: Any) -> datetime:
    """Read a date from front matter; raises `ValueError` with a sentence for what is none."""
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - the value is wrong, not the caller
            f"{value!r} is not a date; write it like 2026-11-30 or 2026-11-30T08:00:00Z"
        )
    text = value.strip()
    try:
        match = _ISO.fullmatch(text)
        return _iso(match) if match else _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        raise ValueError(
            f"{text[:60]!r} is not a date; write it like 2026-11-30 or 2026-11-30T08:00:00Z"
        ) from None


def in_name(name: str) -> datetime | None:
    """Find the date that a file name or folder name begins with (`2019-11-07-title.md`)."""
    return _from_groups(_IN_NAME.match(name))


def in_path(path: str) -> datetime | None:
    """Find a date in a URL path (`2019/11/07/slug`)."""
    return _from_groups(_IN_PATH.search(path))


def without_date(name: str) -> str:
    """Take the date off the front of a file name's stem."""
    stem = PurePosixPath(name).name
    return _IN_NAME.sub("", stem, count=1) if in_name(stem) else stem


def _iso(match: re.Match[str]) -> datetime:
    year, month, day = map(int, match["date"].split("-"))
    if match["time"] is None:
        return datetime(year, month, day, tzinfo=UTC)
    clock = match["time"].replace(",", ".").zfill(5)
    clock = f"0{clock}" if clock[1] == ":" else clock
    whole, _, fraction = clock.partition(".")
    zone = (match["zone"] or "").upper().replace("UTC", "").replace("GMT", "").replace("Z", "")
    if zone and len(zone) == len("+00"):
        zone += "00"
    stamp = f"{year:04}-{month:02}-{day:02}T{whole}"
    moment = datetime.fromisoformat(stamp + (zone or "+00:00"))
    return _aware(moment.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0))


def _aware(moment: datetime) -> datetime:
    """Put a moment into UTC; one near the ends of the calendar cannot be."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _from_groups(match: re.Match[str] | None) -> datetime | None:
    if not match:
        return None
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
