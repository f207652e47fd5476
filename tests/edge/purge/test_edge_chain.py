"""The edges in front: their order, their headers, and how long they may hold a page."""

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


def create_chain(edges: str, driven: str = "") -> EdgeChain:
    """Create a chain of edges, some with a driver, in front of a gateway."""
    return EdgeChain.from_dialects(
        parse_dialects(edges),
        parse_dialects("broadsheet"),
        cap=MINUTE,
        drivers=lambda name: NullDriver() if name in driven.split(",") else None,
    )


def test_the_first_named_edge_is_the_outermost() -> None:
    """Edges are named in request order; the gateway has depth 0."""
    chain = create_chain("cloudflare,varnish", "cloudflare,varnish")
    assert [(tier.name, tier.depth) for tier in chain.tiers] == [("varnish", 1), ("cloudflare", 2)]


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
def test_the_time_of_flight_covers_all_stale_inner_tiers(
    edges: str, driven: str, flights: dict[str, timedelta]
) -> None:
    """After the second purge no inner tier serves the old page."""
    assert {
        tier.name: tier.max_flight_time for tier in create_chain(edges, driven).tiers
    } == flights


TRUSTED = {
    "all is well": ("cloudflare,varnish", [], 2),
    "the outer one": ("cloudflare,varnish", ["cloudflare"], 1),
    "the inner one takes the outer one along": ("cloudflare,varnish", ["varnish"], 0),
    "both": ("cloudflare,varnish", ["cloudflare", "varnish"], 0),
    "a gateway": ("cloudflare,varnish", ["gateway-7a"], 0),
    "one that is not configured": ("cloudflare,varnish", ["fastly"], 2),
    "one that is capped anyway stands inside": ("varnish,nginx", [], 2),
    "the one outside it": ("varnish,nginx", ["varnish"], 1),
    "none can be purged": ("nginx", [], 0),
}


@pytest.mark.parametrize(("edges", "broken", "count"), TRUSTED.values(), ids=TRUSTED)
def test_edges_outside_a_broken_tier_count_as_unpurgeable(
    edges: str, broken: Collection[str], count: int
) -> None:
    """It would be refilled with stale pages."""
    assert create_chain(edges, "cloudflare,varnish").purgeable_count_without(broken) == count


class ByUrl(NullDriver):
    """A driver that purges by URL."""

    purges_by_url = True


def test_an_edge_that_is_purged_by_url_keeps_other_url_spellings() -> None:
    """Such an edge, and all edges outside of it, count as unpurgeable for them."""
    drivers = {"varnish": NullDriver(), "generic": ByUrl(), "fastly": NullDriver()}
    chain = EdgeChain.from_dialects(
        parse_dialects("fastly,generic,varnish"), (), cap=MINUTE, drivers=lambda name: drivers[name]
    )
    assert (chain.purgeable_count, chain.purgeable_by_tag_count) == (3, 1)


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


@pytest.mark.parametrize(("edges", "driven", "purgeable_count", "lines"), TOLD.values(), ids=TOLD)
def test_each_edge_gets_its_own_headers(
    edges: str, driven: str, purgeable_count: int | None, lines: dict[str, str]
) -> None:
    """Purgeable edges and the gateway get the full TTL, other edges the cap."""
    headers = dict(create_chain(edges, driven).format_policy(PAGE, purgeable_count))
    assert headers.pop("Broadsheet-Cache-Control") == f"{LONG}, purged"
    assert headers == {"Cache-Control": "max-age=0, must-revalidate", **lines}


def test_the_gateway_gets_capped_headers() -> None:
    """The header lists the differing lines for each number of purgeable edges."""
    value = create_chain("cloudflare,varnish", "cloudflare,varnish").capped_headers(PAGE)
    stored_headers = [(capped_headers.FIELD, value)]
    usual = [("CDN-Cache-Control", LONG), ("Surrogate-Control", LONG), ("X", "1")]
    brief = ("CDN-Cache-Control", "max-age=60")
    assert capped_headers.apply_capped_headers(usual, stored_headers, "1") == [brief, *usual[1:]]
    assert capped_headers.apply_capped_headers(usual, stored_headers, "0") == [
        brief,
        ("Surrogate-Control", "max-age=60"),
        ("X", "1"),
    ]
    assert capped_headers.apply_capped_headers(usual, [], "0") is None


def test_a_policy_without_purges_needs_no_capped_headers() -> None:
    """The cap changes nothing there; without drivers it always applies."""
    forever = Policy(name="F", browser=Freshness(ttl=DAY), edge=Freshness(ttl=DAY), immutable=True)
    assert create_chain("varnish", "varnish").capped_headers(forever) == ""
    assert create_chain("varnish").capped_headers(PAGE) == ""


def test_only_edges_that_are_purged_by_tags_get_them() -> None:
    """Each edge gets its own header field and separator."""
    assert create_chain("cloudflare,varnish", "varnish").format_tags("p-1") == (
        ("xkey", "p-1 all"),
    )
    assert create_chain("cloudflare,varnish", "cloudflare").format_tags("p-1") == (
        ("Cache-Tag", "p-1,all"),
    )
    assert create_chain("nginx,varnish").format_tags("p-1") == ()


LIVES = {
    "no edge": ("", "", 1, 0),
    "one that is capped": ("varnish", "", 1, 1),
    "one that is purged": ("varnish", "varnish", 2, 0),
    "both": ("cloudflare,varnish", "varnish", 2, 1),
    "two that are purged": ("varnish,fastly", "varnish,fastly", 3, 0),
}


@pytest.mark.parametrize(("edges", "driven", "whole", "capped"), LIVES.values(), ids=LIVES)
def test_a_page_lives_as_long_as_the_last_copy(
    edges: str, driven: str, whole: int, capped: int
) -> None:
    """Each cache may fetch the page in the last second of the inner cache's TTL."""
    assert PAGE.edge is not None
    one = DAY + 7 * DAY
    flights = [tier.max_flight_time for tier in create_chain(edges, driven).tiers]
    # Fastly gets no stale-while-revalidate.
    revalidating = (whole - ("fastly" in driven)) * MINUTE
    expected = whole * one + revalidating + capped * MINUTE + max(flights, default=MAX_FLIGHT_TIME)
    assert create_chain(edges, driven).max_lifetime(PAGE) == expected


def test_without_an_edge_policy_each_cache_adds_the_browser_ttl() -> None:
    """One policy applies to the gateway, the edge and unconfigured caches."""
    policy = Policy(name="B", browser=Freshness(ttl=MINUTE))
    assert create_chain("varnish").max_lifetime(policy) == 3 * MINUTE + MAX_FLIGHT_TIME


def test_each_edge_is_listed_with_what_it_does() -> None:
    """`flask edge routes` lists the outermost first, with the reason for a cap."""
    assert create_chain("nginx,varnish", "varnish").texts_by_edge(PAGE) == {
        "nginx": "keeps it for 1 minute, because it can't be purged",
        "varnish": PAGE.edge_freshness.to_text(),
    }
    assert set(
        create_chain("nginx,varnish").texts_by_edge(Policy(name="N", no_store=True)).values()
    ) == {"keeps nothing"}
