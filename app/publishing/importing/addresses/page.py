"""What the pattern of an address can be filled from: one file of the old site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from app.publishing.importing.configuration import SourceConfiguration
from app.publishing.importing.configuration.values import text as text_of

_DATED = re.compile(r"(\d{2,4})-(\d{1,2})-(\d{1,2})[-_ ]?")
_DIGITS = re.compile(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_TOKEN = re.compile(r"\\:|:([A-Za-z_0-9]+)(\[[^\]/]*\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file of the old site.

    `path` is relative to the content folder. `moment` has the zone in which the tool reads the
    day of the address; it is None for a page without a date. Keys of `values` are in lower case.
    `language` is the name that the configuration, or the path, gives the page's language;
    `folder_language` is that of a content folder for one language, which is no part of `path`.
    """

    path: PurePosixPath
    configuration: SourceConfiguration
    values: Mapping[str, Any]
    title: str = ""
    slug: str = ""
    moment: datetime | None = None
    authors: tuple[str, ...] = ()
    language: str = ""
    folder_language: str = ""

    @property
    def other_language(self) -> str:
        """The name of the page's language, unless it is the default one."""
        default = self.configuration.default_language.lower()
        return "" if self.language.lower() == default else self.language

    @property
    def name(self) -> str:
        """The file's name without its suffix, or the name of its folder for `index.md`."""
        if self.path.stem == "index" and self.path.parent.name:
            return self.path.parent.name
        return self.path.stem

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders above the page; a folder with an `index.md` is the page itself."""
        parts = self.path.parent.parts
        return parts[:-1] if self.path.stem == "index" else parts

    @property
    def undated_name(self) -> str:
        """The name without a date at its start."""
        return without_date(self.name)

    def value(self, *names: str) -> str:
        """Return the first of these front matter values that is a text."""
        return text_of(self.values, *names)


def without_date(name: str) -> str:
    """Take a date off the start of a name, unless nothing else is left."""
    return _DATED.sub("", name, count=1) or name if _DATED.match(name) else name


def date_of_name(name: str) -> tuple[int, int, int] | None:
    """Return the numbers of the date at the start of a name."""
    match = _DATED.match(name)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def fill(pattern: str, value_of: Callable[[str], str | None]) -> str:
    """Replace each `:token` of a pattern; an unknown token stays as it is."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return ":"
        value = value_of(match[1] + (match[2] or ""))
        return match[0] if value is None else value

    return _TOKEN.sub(replace, pattern)


def moments(
    instant: datetime | None, own_value: Any, configuration: SourceConfiguration, *, in_zone: bool
) -> Iterator[datetime]:
    """Yield the times whose days may be in the address, the tool's own choice first.

    `instant` is the date in UTC and `written` its text. `in_zone` says that the tool converts
    dates to the site's time zone.
    """
    if instant is None:
        return
    zone = configuration.time_zone or UTC
    as_written = _as_written(instant, own_value)
    choices = [instant.astimezone(zone), as_written, instant.astimezone(UTC)]
    has_clock = ":" in str(own_value)
    if not in_zone or not has_clock:
        choices[0], choices[1] = choices[1], choices[0]
    days = set()
    for choice in choices:
        if choice.date() not in days:
            days.add(choice.date())
            yield choice


def _as_written(instant: datetime, own_value: Any) -> datetime:
    """Return the instant on the day that the text shows, in its own offset."""
    digits = _DIGITS.match(str(own_value or ""))
    if digits is None:
        return instant.astimezone(UTC)
    try:
        day = datetime(int(digits[1]), int(digits[2]), int(digits[3]), tzinfo=UTC).date()
    except ValueError:
        return instant.astimezone(UTC)
    return datetime.combine(day, instant.astimezone(UTC).timetz())


def join(*parts: str | Iterable[str], ending: str = "/") -> str:
    """Join the parts of an address, with a slash at its start and the ending at its end."""
    texts = [part if isinstance(part, str) else "/".join(part) for part in parts]
    path = re.sub(r"/{2,}", "/", "/".join(["", *texts])).rstrip("/")
    return f"{path}{ending}" if path else "/"


def date_tokens(moment: datetime) -> dict[str, str]:
    """The parts of a date that more than one tool knows by these names."""
    return {
        "year": f"{moment.year:04}",
        "month": f"{moment.month:02}",
        "i_month": str(moment.month),
        "day": f"{moment.day:02}",
        "i_day": str(moment.day),
        "hour": f"{moment.hour:02}",
        "minute": f"{moment.minute:02}",
        "second": f"{moment.second:02}",
    }
