"""The edges in front: where each stands, what it is told, and how long it may hold a page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.edge import Freshness, Policy
from app.edge.gateway import capped_headers
from app.edge.policy.cdn_headers import parse_dialects
from app.edge.purge.edge_chain import MAX_FLIGHT_TIME, PROPAGATION, EdgeChain
from app.edge.testing import NullDriver

if TYPE_CHECKING:
    from collections.abc import Collection

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PAGE = Policy(
    name="PAGE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=DAY, stale_while_revalidate=MINUTE, stale_if_error=7 * DAY),
)
LONG = "max-age=86400, stale-while-revalidate=60, stale-if-error=604800"


def front(edges: str, driven: str = "") -> EdgeChain:
    """These edges, of which some have a driver, in front of a gateway."""
    return EdgeChain.from_dialects(
        parse_dialects(edges),
        parse_dialects("broadsheet"),
        cap=MINUTE,
        drivers=lambda name: NullDriver() if name in driven.split(",") else None,
    )


def test_the_first_that_is_named_is_the_outermost() -> None:
    """As a reader's request meets them; the gateway has the depth of nought."""
    found = front("cloudflare,varnish", "cloudflare,varnish")
    assert [(tier.name, tier.depth) for tier in found.tiers] == [("varnish", 1), ("cloudflare", 2)]


FLIGHTS = {
    "one": ("varnish", "varnish", {"varnish": MAX_FLIGHT_TIME}),
    "its own propagation": (
        "fastly",
        "fastly",
        {"fastly": MAX_FLIGHT_TIME + PROPAGATION["fastly"]},
    ),
    "an inner one that keeps old pages for the cap": (
        "varnish,nginx",
        "varnish",
        {"varnish": MAX_FLIGHT_TIME + MINUTE},
    ),
    "an inner one that is slow": (
        "varnish,fastly",
        "varnish,fastly",
        {
            "fastly": MAX_FLIGHT_TIME + PROPAGATION["fastly"],
            "varnish": MAX_FLIGHT_TIME + PROPAGATION["fastly"],
        },
    ),
    "an outer one changes nothing": ("nginx,varnish", "varnish", {"varnish": MAX_FLIGHT_TIME}),
    "none": ("cloudflare,nginx", "", {}),
}


@pytest.mark.parametrize(("edges", "driven", "flights"), FLIGHTS.values(), ids=FLIGHTS)
def test_a_flight_is_as_long_as_anything_old_can_come(
    edges: str, driven: str, flights: dict[str, timedelta]
) -> None:
    """After the second purge nothing inside shows the old page any more."""
    assert {tier.name: tier.max_flight_time for tier in front(edges, driven).tiers} == flights


TRUSTED = {
    "all is well": ("cloudflare,varnish", [], 2),
    "the outer one": ("cloudflare,varnish", ["cloudflare"], 1),
    "the inner one takes the outer one along": ("cloudflare,varnish", ["varnish"], 0),
    "both": ("cloudflare,varnish", ["cloudflare", "varnish"], 0),
    "a gateway": ("cloudflare,varnish", ["gateway-7a"], 0),
    "one that nobody named": ("cloudflare,varnish", ["fastly"], 2),
    "one that is capped anyway stands inside": ("varnish,nginx", [], 2),
    "the one outside it": ("varnish,nginx", ["varnish"], 1),
    "none can be purged": ("nginx", [], 0),
}


@pytest.mark.parametrize(("edges", "broken", "trusted"), TRUSTED.values(), ids=TRUSTED)
def test_whoever_stands_outside_one_that_fails_is_not_trusted(
    edges: str, broken: Collection[str], trusted: int
) -> None:
    """It would be filled from what is old."""
    assert front(edges, "cloudflare,varnish").trusted_with(broken) == trusted


class ByUrl(NullDriver):
    """A driver that purges by URL."""

    purges_by_url = True


def test_an_edge_that_is_purged_by_url_does_not_lose_other_spellings() -> None:
    """So it and all outside it are not trusted with them."""
    drivers = {"varnish": NullDriver(), "generic": ByUrl(), "fastly": NullDriver()}
    found = EdgeChain.from_dialects(
        parse_dialects("fastly,generic,varnish"), (), cap=MINUTE, drivers=lambda name: drivers[name]
    )
    assert (found.purgeable_count, found.purgeable_by_tag_count) == (3, 1)


TOLD = {
    "driven": ("varnish", "varnish", None, {"Surrogate-Control": LONG}),
    "in doubt": ("varnish", "varnish", 0, {"Surrogate-Control": "max-age=60"}),
    "not driven": ("varnish", "", None, {"Surrogate-Control": "max-age=60"}),
    "the outer one in doubt": (
        "cloudflare,varnish",
        "cloudflare,varnish",
        1,
        {"Surrogate-Control": LONG, "CDN-Cache-Control": "max-age=60"},
    ),
    "the least counts in a number for all": (
        "cloudfront,bunny",
        "cloudfront",
        None,
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
    "in whatever order": (
        "bunny,cloudfront",
        "cloudfront",
        None,
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
    "no less than that": (
        "cloudfront,bunny",
        "cloudfront,bunny",
        None,
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=86400"},
    ),
}


@pytest.mark.parametrize(("edges", "driven", "trusted", "lines"), TOLD.values(), ids=TOLD)
def test_each_edge_is_told_its_own(
    edges: str, driven: str, trusted: int | None, lines: dict[str, str]
) -> None:
    """What can be purged gets all of it, what can't gets the cap; the gateway is told the whole."""
    found = dict(front(edges, driven).format_policy(PAGE, trusted))
    assert found.pop("Broadsheet-Cache-Control") == f"{LONG}, purged"
    assert found == {"Cache-Control": "max-age=0, must-revalidate", **lines}


def test_the_gateway_hears_what_to_say_instead() -> None:
    """For each number of edges that may be trusted, the lines that differ and no others."""
    made = front("cloudflare,varnish", "cloudflare,varnish").capped_headers(PAGE)
    kept = [(capped_headers.FIELD, made)]
    usual = [("CDN-Cache-Control", LONG), ("Surrogate-Control", LONG), ("X", "1")]
    brief = ("CDN-Cache-Control", "max-age=60")
    assert capped_headers.apply_capped_headers(usual, kept, "1") == [brief, *usual[1:]]
    assert capped_headers.apply_capped_headers(usual, kept, "0") == [
        brief,
        ("Surrogate-Control", "max-age=60"),
        ("X", "1"),
    ]
    assert capped_headers.apply_capped_headers(usual, [], "0") is None


def test_nothing_is_said_instead_of_what_needs_no_purge() -> None:
    """A cap changes nothing there, and where nothing is driven it holds anyway."""
    forever = Policy(name="F", browser=Freshness(ttl=DAY), edge=Freshness(ttl=DAY), immutable=True)
    assert front("varnish", "varnish").capped_headers(forever) == ""
    assert front("varnish").capped_headers(PAGE) == ""


def test_only_edges_that_are_purged_by_tags_get_them() -> None:
    """In the field and with the separator of each."""
    assert front("cloudflare,varnish", "varnish").format_tags("p-1") == (("xkey", "p-1 all"),)
    assert front("cloudflare,varnish", "cloudflare").format_tags("p-1") == (
        ("Cache-Tag", "p-1,all"),
    )
    assert front("nginx,varnish").format_tags("p-1") == ()


LIVES = {
    "nobody is named": ("", "", 1, 0),
    "one that is capped": ("varnish", "", 1, 1),
    "one that is purged": ("varnish", "varnish", 2, 0),
    "both": ("cloudflare,varnish", "varnish", 2, 1),
    "two that are purged": ("varnish,fastly", "varnish,fastly", 3, 0),
}


@pytest.mark.parametrize(("edges", "driven", "whole", "capped"), LIVES.values(), ids=LIVES)
def test_a_page_lives_as_long_as_the_last_copy(
    edges: str, driven: str, whole: int, capped: int
) -> None:
    """Each cache may get it when the one behind it may just still show it."""
    assert PAGE.edge is not None
    one = DAY + 7 * DAY
    flights = [tier.max_flight_time for tier in front(edges, driven).tiers]
    # Fastly is not told to show what is stale while it asks.
    revalidating = (whole - ("fastly" in driven)) * MINUTE
    expected = whole * one + revalidating + capped * MINUTE + max(flights, default=MAX_FLIGHT_TIME)
    assert front(edges, driven).max_lifetime(PAGE) == expected


def test_where_edges_do_as_browsers_do_each_counts_anew() -> None:
    """One policy for all: the gateway, the edge, and caches that nobody named."""
    policy = Policy(name="B", browser=Freshness(ttl=MINUTE))
    assert front("varnish").max_lifetime(policy) == 3 * MINUTE + MAX_FLIGHT_TIME


def test_each_edge_is_listed_with_what_it_does() -> None:
    """For `flask edge routes`: the outermost first, with the reason of a cap."""
    assert front("nginx,varnish", "varnish").texts_by_edge(PAGE) == {
        "nginx": "keeps it for 1 minute, for it can't be purged",
        "varnish": PAGE.edge_freshness.to_text(),
    }
    assert set(front("nginx,varnish").texts_by_edge(Policy(name="N", no_store=True)).values()) == {
        "keeps nothing"
    }
