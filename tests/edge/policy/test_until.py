"""Lifetimes that end at the next minute, hour or midnight, in every dialect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app.edge import Freshness, Policy, PolicyError, cached
from app.edge.flask import Edge
from app.edge.http.cache_control import Directives
from app.edge.policy.cdn_headers import DIALECTS, format_policy, freshness_for, parse_dialects
from app.edge.policy.until import Until, covers, sooner, time_left
from app.edge.testing import FrozenClock

NOW = datetime(2026, 11, 29, 22, 58, 58, 500_000, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = Freshness(ttl=2 * DAY, stale_while_revalidate=DAY, stale_if_error=DAY)

ENDS = {
    "minute": ("minute", "UTC", timedelta(seconds=1.5)),
    "hour": ("hour", "UTC", timedelta(minutes=1, seconds=1.5)),
    "midnight": ("midnight", "UTC", timedelta(hours=1, minutes=1, seconds=1.5)),
    "midnight in Berlin": ("midnight", "Europe/Berlin", timedelta(minutes=1, seconds=1.5)),
    "an hour in India": ("hour", "Asia/Kolkata", timedelta(minutes=31, seconds=1.5)),
}


@pytest.mark.parametrize(("until", "zone", "remaining"), ENDS.values(), ids=ENDS)
def test_the_time_left_is_counted_in_the_zone(until: str, zone: str, remaining: timedelta) -> None:
    """Midnight depends on the time zone."""
    assert time_left(until, zone, NOW) == remaining


DAYS = {
    "a day of 25 hours": (datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")), 25),
    "a day of 23 hours": (datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")), 23),
    "a day that ends without a midnight": (
        datetime(2018, 11, 3, tzinfo=ZoneInfo("America/Sao_Paulo")),
        24,
    ),
}


@pytest.mark.parametrize(("start", "hours"), DAYS.values(), ids=DAYS)
def test_a_day_is_as_long_as_the_clocks_say(start: datetime, hours: int) -> None:
    """Daylight saving time begins and ends."""
    assert time_left("midnight", str(start.tzinfo), start) == timedelta(hours=hours)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("until", ["minute", "hour", "midnight"])
def test_no_dialect_lets_a_page_live_longer(name: str, until: str) -> None:
    """Neither fresh nor stale, in every header field."""
    policy = Policy(name="P", browser=LONG, edge=LONG, until=until)
    ended = policy.ending(NOW)
    remaining = int(time_left(until, "UTC", NOW).total_seconds())
    for line, value in format_policy(ended, parse_dialects(name), cap=None):
        if line == "X-Accel-Expires":
            assert int(value) <= remaining
            continue
        directives = Directives.parse([value])
        for directive in ("max-age", "s-maxage"):
            if directive in directives:
                assert int(str(directives[directive])) <= remaining
        assert "stale-while-revalidate" not in directives
        assert "stale-if-error" not in directives
    edge = freshness_for(ended, DIALECTS[name], cap=None)
    assert edge.ttl <= time_left(until, "UTC", NOW)


def test_a_lifetime_that_is_shorter_stays() -> None:
    """The end only limits the lifetime."""
    policy = Policy(name="P", edge=Freshness(ttl=timedelta(seconds=30)), until="midnight")
    assert policy.ending(NOW).edge_freshness.ttl == timedelta(seconds=30)


def test_merging_keeps_the_sooner_end() -> None:
    """The stricter end applies, in either order."""
    midnight = Policy(name="A", browser=LONG, until="midnight", zone="Europe/Berlin")
    hour = Policy(name="B", browser=LONG, until="hour")
    assert midnight.merge(hour).until == hour.merge(midnight).until == "hour"
    assert midnight.merge(Policy(name="C", browser=LONG)).until == "midnight"
    assert sooner(("midnight", "UTC"), ("midnight", "Asia/Tokyo")) == ("minute", "UTC")


SOONER = {
    "one has no end": (("hour", "Asia/Tokyo"), (None, "UTC"), ("hour", "Asia/Tokyo")),
    "neither has an end": ((None, "UTC"), (None, "UTC"), (None, "UTC")),
    "the hour comes before midnight": (
        ("midnight", "UTC"),
        ("hour", "Asia/Kolkata"),
        ("hour", "Asia/Kolkata"),
    ),
    "the minute comes before the hour": (
        ("hour", "UTC"),
        ("minute", "Asia/Tokyo"),
        ("minute", "Asia/Tokyo"),
    ),
    "equal ends": (("hour", "Asia/Tokyo"), ("hour", "Asia/Tokyo"), ("hour", "Asia/Tokyo")),
    "hours of two zones": (("hour", "UTC"), ("hour", "Asia/Kolkata"), ("minute", "UTC")),
    "midnights of two zones": (("midnight", "UTC"), ("midnight", "Asia/Tokyo"), ("minute", "UTC")),
    "minutes of two zones": (("minute", "UTC"), ("minute", "Asia/Tokyo"), ("minute", "Asia/Tokyo")),
}


@pytest.mark.parametrize(("one", "two", "result"), SOONER.values(), ids=SOONER)
def test_of_two_ends_the_sooner_counts(one: Until, two: Until, result: Until) -> None:
    """In either order; two zones share only the minute."""
    assert sooner(one, two) == sooner(two, one) == result


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown end": ({"until": "noon"}, "until is 'noon'"),
    "an unknown zone": ({"until": "midnight", "zone": "Mars/Base"}, "not a time zone"),
    "immutable": (
        {"until": "hour", "immutable": True, "browser": Freshness(ttl=DAY)},
        "immutable content never changes",
    ),
}


@pytest.mark.parametrize(("options", "reason"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], reason: str) -> None:
    """When the policy is created."""
    with pytest.raises(PolicyError, match=reason):
        Policy(name="P", **options)


def test_an_end_covers_what_stays_the_same_until_then() -> None:
    """An exact time (0) needs the minute, a time truncated to the day (3) only midnight."""
    allowed = {
        grain: [u for u in ("minute", "hour", "midnight") if covers(u, grain)] for grain in range(4)
    }
    assert allowed == {
        0: ["minute"],
        1: ["minute"],
        2: ["minute", "hour"],
        3: ["minute", "hour", "midnight"],
    }
    assert not covers(None, 3)


def test_a_page_says_how_long_it_is_until_midnight(bare_app: Flask) -> None:
    """Browser and CDN get the same lifetime, which decreases each second."""
    policy = Policy(name="TODAY", browser=LONG, edge=LONG, until="midnight", zone="Europe/Berlin")
    clock = FrozenClock(NOW)
    Edge().init_app(bare_app, clock=clock)
    bare_app.add_url_rule("/", "show", cached(policy)(lambda: "today"))
    answer = bare_app.test_client().get("/")
    assert "max-age=61" in answer.headers["Cache-Control"]
    assert "max-age=61" in answer.headers["CDN-Cache-Control"]
    assert "stale" not in answer.headers["CDN-Cache-Control"]


@pytest.fixture
def bare_app() -> Flask:
    """An app without an edge, behind Cloudflare."""
    app = Flask("small")
    app.config |= {"EDGE": "cloudflare", "EDGE_GATEWAY": "off", "EDGE_TTL_CAP": 3600}
    return app
