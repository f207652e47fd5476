"""Dates as people and tools write them, made aware datetimes; without a zone they are UTC.

Month names of several languages, East Asian dates, slashes, offsets of one digit, North American
zones and seconds since 1970 are read as well, since YAML 1.1, Ruby and JavaScript read them.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any

from .month_names import find_month

_ISO = re.compile(
    r"(?P<date>\d{4}([-/.])\d{1,2}\2\d{1,2})"
    r"(?:[Tt_ ]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)"
    r"\s*(?P<zone>[A-Za-z]{1,4}|[+-]\d{1,2}(?::?\d{2})?)?)?"
)
_WORD = r"[^\W\d_]{3,12}"
_IN_WORDS = re.compile(
    rf"(?:{_WORD}\.?,?\s+)?(?:den\s+|le\s+|el\s+)?"
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+)?(?P<month>{_WORD})\.?"
    rf"|(?P<month_first>{_WORD})\.?\s+(?P<day_second>\d{{1,2}})(?:st|nd|rd|th)?)"
    r",?\s+(?:de[l]?\s+)?(?P<year>\d{4})(?P<rest>(?:,|\s+(?:at|um|à|kl\.?))?\s+.*)?",
    re.IGNORECASE,
)
_EAST_ASIAN = re.compile(
    r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]"
    r"(?:\s*[(\uff08]?[^\W\d_]{1,3}[)\uff09]?(?=\s|$))?\s*(?P<rest>.*)"
)
_EAST_ASIAN_CLOCK = re.compile(
    r"(?P<half>上午|下午|午前|午後|오전|오후)?\s*(?P<hour>\d{1,2})\s*(?:[:\uff1a]|[时時시点點])\s*"
    r"(?P<minute>\d{1,2})?\s*(?:(?:[:\uff1a]|[分분])\s*(?:(?P<second>\d{1,2})\s*[秒초]?)?)?"
)
_AFTERNOON = frozenset({"下午", "午後", "오후"})
_ZONES = {"z": 0, "utc": 0, "gmt": 0}
_ZONES |= {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}")
_EPOCH_MILLISECONDS = 11
_AT = re.compile(r"^\s*(?:,|at\b|um\b|à\s|kl\b\.?)", re.IGNORECASE)
_TWELVE_HOURS = re.compile(r"(\d{1,2})(:\d{2}(?::\d{2})?)?\s*([AaPp])\.?[Mm]\.?")
_IN_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_.]|$)")
_IN_PATH = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?:/|$)")


def parse(value: Any, zone: tzinfo = UTC) -> datetime:
    """Read a date from front matter; raises `ValueError` with a sentence for what is none.

    A date without a zone is in `zone`, that of the old site.
    """
    if isinstance(value, datetime):
        return _aware(value, zone)
    if isinstance(value, date):
        return _aware(datetime.combine(value, time()), zone)
    text = str(value).strip()
    try:
        return _parse_text(text, zone)
    except (ValueError, TypeError, OverflowError, IndexError, KeyError):
        raise ValueError(
            f"{text[:60]!r} is not a date; write it like 2026-11-30 or 2026-11-30T08:00:00Z"
        ) from None


def _parse_text(text: str, zone: tzinfo) -> datetime:
    if _EPOCH.fullmatch(text):
        seconds = int(text) / (1000 if len(text) > _EPOCH_MILLISECONDS else 1)
        return datetime.fromtimestamp(seconds, UTC)
    if match := _ISO.fullmatch(text):
        return _iso(match, zone)
    if match := _EAST_ASIAN.fullmatch(text):
        return _parse_text(_with_western_clock(match), zone)
    if (match := _IN_WORDS.fullmatch(text)) and (
        month := find_month(match["month"] or match["month_first"])
    ):
        day = int(match["day"] or match["day_second"])
        clock = _AT.sub("", match["rest"] or "").strip()
        clock = _TWELVE_HOURS.sub(_to_24_hours, clock, count=1)
        return _parse_text(f"{match['year']}-{month:02}-{day:02} {clock}".strip(), zone)
    return _aware(parsedate_to_datetime(text), zone)


def _with_western_clock(match: re.Match[str]) -> str:
    """Return `2021年1月5日 下午3:20` as `2021-01-05 15:20:00`; raises ValueError if it can't."""
    year, month, day = map(int, match.groups()[:3])
    text = f"{year:04}-{month:02}-{day:02}"
    if not match["rest"].strip():
        return text
    clock = _EAST_ASIAN_CLOCK.fullmatch(match["rest"].strip())
    if clock is None:
        raise ValueError
    hour = int(clock["hour"])
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"] in _AFTERNOON else 0)
    return f"{text} {hour:02}:{int(clock['minute'] or 0):02}:{int(clock['second'] or 0):02}"


def _to_24_hours(match: re.Match[str]) -> str:
    hour = int(match[1]) % 12 + (12 if match[3] in "pP" else 0)
    return f"{hour:02}{match[2] or ':00'}"


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


def _iso(match: re.Match[str], zone: tzinfo) -> datetime:
    year, month, day = map(int, re.split("[-/.]", match["date"]))
    if match["time"] is None:
        return _aware(datetime.combine(date(year, month, day), time()), zone)
    clock = match["time"].replace(",", ".").zfill(5)
    clock = f"0{clock}" if clock[1] == ":" else clock
    whole, _, fraction = clock.partition(".")
    stamp = datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{whole}")
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    stamp = stamp.replace(microsecond=microsecond)
    return _aware(stamp.replace(tzinfo=_zone(match["zone"])) if match["zone"] else stamp, zone)


def _zone(text: str) -> timezone:
    """Return the zone of `Z`, `-4`, `+0530`, `+05:30` or `EST`; raises KeyError for other names."""
    if text[:1] not in {"+", "-"}:
        return timezone(timedelta(hours=_ZONES[text.lower()]))
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")  # noqa: PLR2004
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text[0] == "-" else offset)


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    """Put a moment into UTC; one near the ends of the calendar cannot be."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _from_groups(match: re.Match[str] | None) -> datetime | None:
    if not match:
        return None
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
