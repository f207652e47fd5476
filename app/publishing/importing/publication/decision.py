"""The decision whether a post is public: every rule is asked, and the strictest answer wins.

Pure: the clock is a parameter. `now` decides which dates lie in the future.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from app.publishing.importing import dates
from app.publishing.importing.configuration import Tool

from .rules import RULES, is_date, is_empty
from .state import Publication, Reason, State

Pairs: TypeAlias = tuple[tuple[str, Any], ...]

_SEPARATORS = re.compile(r"[-_\s]+")
_TRANSPARENT = frozenset({"params", "extra", "taxonomies"})
"""Tables whose keys mean the same as at the top level."""

_PUBLIC_AT_ONCE = frozenset(
    {Tool.PELICAN, Tool.HEXO, Tool.ZOLA, Tool.ELEVENTY, Tool.ASTRO, Tool.DOCUSAURUS}
)
"""Tools that publish a post whose date lies in the future."""

_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC).date()
_RULE_OF = {_SEPARATORS.sub("", key.lower()): rule for rule in RULES for key in rule.keys}
_PUBLISH_KEYS = ("publishdate", "pubdate", "published", "publishedat", "publishedon")
_EXPIRY_KEYS = ("expirydate", "unpublishdate", "expires", "expiresat", "unpublishat")


def flatten(values: Mapping[str, Any]) -> Pairs:
    """Return normalised keys with their values; two spellings of one key are two pairs.

    Keys are compared in lower case and without `-`, `_` and blanks: `publish_date` is
    `publishDate`.
    """
    return tuple(_flatten(values))


def normalise_key(name: object) -> str:
    """Return a key as the rules spell it."""
    return _SEPARATORS.sub("", str(name).lower())


def _flatten(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = normalise_key(name)
        if key == "build" and isinstance(value, Mapping):
            yield from ((f"build.{normalise_key(inner)}", v) for inner, v in value.items())
        elif key == "build" and not is_empty(value):
            yield "build.render", value  # no table: Hugo has no meaning for it
        elif key in _TRANSPARENT:
            for table in value if isinstance(value, list) else [value]:
                yield from _flatten(table) if isinstance(table, Mapping) else ()
        else:
            yield key, value


def decide(
    pairs: Pairs,
    *,
    now: datetime,
    tool: Tool | None = None,
    zone: tzinfo = UTC,
    fallback: datetime | None = None,
    reasons: Iterable[Reason] = (),
) -> Publication:
    """Decide how public a post is.

    `pairs` are the keys of the file with inherited ones, `zone` is that of the old site,
    `fallback` is the date in its name or path, `reasons` do not come from keys (its
    folder, its text).
    """
    instants, problems = _instants(pairs, zone)
    all_reasons = [*reasons, *problems, *_apply_rules(pairs, tool)]
    publish_at = _publish_at(instants, tool, now) or fallback
    all_reasons += _apply_clock(instants, publish_at, now=now, tool=tool)
    state = _strictest(all_reasons)
    if state is State.SCHEDULED and (publish_at is None or publish_at <= now):
        state = State.DRAFT
        sentence = "is a draft: its status is scheduled, but no date lies in the future"
        all_reasons.append(Reason(key="status", state=state, sentence=sentence))
    return Publication(state=state, publish_at=publish_at, reasons=tuple(all_reasons))


def _apply_rules(pairs: Pairs, tool: Tool | None) -> Iterator[Reason]:
    for key, value in pairs:
        rule = _RULE_OF.get(key)
        if rule is not None and (reason := rule.judge(key, value, tool)) is not None:
            yield reason


def find_restrictions(values: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Return what these fields of the front matter hold back."""
    return tuple(_apply_rules(flatten(values), None))


def _strictest(reasons: Iterable[Reason]) -> State:
    """Return the strictest state; an archived post is stored with `draft: true` as well."""
    states = {(reason.key, reason.state) for reason in reasons}
    if ("status", State.ARCHIVED) in states:
        states.discard(("draft", State.DRAFT))
    return max((state for _, state in states), default=State.PUBLISHED)


def _instants(pairs: Pairs, zone: tzinfo) -> tuple[dict[str, datetime], list[Reason]]:
    """Return the dates by their keys, and a reason for each value that is no date."""
    instants: dict[str, datetime] = {}
    problems = []
    for key, value in pairs:
        if key not in {"date", *_PUBLISH_KEYS, *_EXPIRY_KEYS} or is_empty(value):
            continue
        if key == "published" and not is_date(value):
            continue
        try:
            instant = dates.parse(value, zone)
        except ValueError as error:
            sentence = f"is a draft, because {key} can't be read: {error}"
            problems.append(Reason(key=key, state=State.DRAFT, sentence=sentence))
            continue
        if key == "date" and instant.date() == _NO_DATE:
            sentence = "is a draft, because its date is 1970-01-01: a converter has lost the date"
            problems.append(Reason(key=key, state=State.DRAFT, sentence=sentence))
        earlier = instants.get(key, instant)
        instants[key] = max(earlier, instant)
    return instants, problems


def _publish_at(
    instants: Mapping[str, datetime], tool: Tool | None, now: datetime
) -> datetime | None:
    """Return when the post is or was published; None without a date.

    Hugo asks `publishDate` alone; for any other tool the latest date decides. A post that is due
    shows its `date`.
    """
    own = instants.get("date")
    publish_dates = [instants[key] for key in _PUBLISH_KEYS if key in instants]
    if own is not None and not (tool is Tool.HUGO and publish_dates):
        publish_dates.append(own)
    decisive = max(publish_dates, default=None)
    is_due = decisive is not None and decisive <= now
    return own if is_due and own is not None and own <= now else decisive


def _apply_clock(
    instants: Mapping[str, datetime],
    publish_at: datetime | None,
    *,
    now: datetime,
    tool: Tool | None,
) -> Iterator[Reason]:
    if publish_at is not None and publish_at > now:
        was_public = tool in _PUBLIC_AT_ONCE
        sentence = "is scheduled for its date; it was public on the old site" if was_public else ""
        yield Reason(key="date", state=State.SCHEDULED, sentence=sentence)
    for key in _EXPIRY_KEYS:
        if key not in instants:
            continue
        day = f"{instants[key]:%Y-%m-%d}"
        if instants[key] < now:
            yield Reason(
                key=key, state=State.ARCHIVED, sentence=f"is archived: it expired on {day}"
            )
        else:
            sentence = f"is public without an end; the old site removed it on {day}"
            yield Reason(key=key, state=State.PUBLISHED, sentence=sentence)


def is_held_back(pairs: Pairs, reasons: Iterable[Reason] = ()) -> bool:
    """Whether a post is no public one at any time, by its keys and other reasons."""
    end = datetime.max.replace(tzinfo=UTC)
    return decide(pairs, now=end, reasons=reasons).state >= State.ARCHIVED
