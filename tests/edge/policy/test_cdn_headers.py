"""Golden headers: each dialect's header lines for typical policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.edge import NO_STORE, Freshness, Policy, PolicyError, cache_control
from app.edge.policy.cdn_headers import (
    DIALECTS,
    format_policy,
    freshness_for,
    mixed_fields,
    parse_dialects,
    with_configured_variants,
    with_purgeable,
)
from app.edge.policy.decorators import find_route_policy

ARTICLE = Policy(
    name="ARTICLE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(
        ttl=timedelta(days=1),
        stale_while_revalidate=timedelta(hours=1),
        stale_if_error=timedelta(days=7),
    ),
)
ACCOUNT = Policy(name="ACCOUNT", private=True, browser=Freshness(ttl=timedelta(minutes=5)))
FIELDS = Policy(
    name="FIELDS",
    browser=Freshness(ttl=timedelta(minutes=2)),
    edge=Freshness(ttl=timedelta(seconds=30), no_cache=("X-Price",)),
    private=("Set-Cookie", "Authorization"),
    no_transform=True,
)
STATIC = Policy(
    name="STATIC",
    browser=Freshness(ttl=timedelta(days=365)),
    edge=Freshness(ttl=timedelta(days=365)),
    immutable=True,
)
BROWSER = "max-age=0, must-revalidate"
FULL = "max-age=86400, stale-while-revalidate=3600, stale-if-error=604800"
HIDDEN = 'private="Authorization, Set-Cookie"'
FOR_EDGE = f'{HIDDEN}, max-age=30, no-cache="X-Price", no-transform'
FOR_ALL = f"{HIDDEN}, max-age=120, s-maxage=30, no-transform"
YEAR = "max-age=31536000"

GOLDEN = {
    "cloudflare article": (
        "cloudflare",
        ARTICLE,
        {"Cache-Control": BROWSER, "CDN-Cache-Control": "max-age=60"},
    ),
    "cloudflare fields": (
        "cloudflare",
        FIELDS,
        {"Cache-Control": FOR_ALL, "CDN-Cache-Control": FOR_EDGE},
    ),
    "cloudflare, variants": (
        "broadsheet,cloudflare,varnish",
        replace(ARTICLE, vary=("Accept-Language",)),
        {
            "Cache-Control": BROWSER,
            "Broadsheet-Cache-Control": f"{FULL}, purged",
            "CDN-Cache-Control": "no-store",
            "Surrogate-Control": "max-age=60",
        },
    ),
    "cloudflare, variants without a word for edges": (
        "broadsheet,cloudflare",
        Policy(name="B", browser=Freshness(ttl=timedelta(seconds=9)), vary=("Accept",)),
        {
            "Cache-Control": "max-age=9",
            "Broadsheet-Cache-Control": "max-age=9",
            "CDN-Cache-Control": "no-store",
        },
    ),
    "cloudfront, variants": (
        "broadsheet,cloudfront,varnish",
        replace(ARTICLE, vary=("Accept-Language",)),
        {
            "Cache-Control": "no-store",
            "Broadsheet-Cache-Control": f"{FULL}, purged",
            "Surrogate-Control": "max-age=60",
        },
    ),
    "cloudfront, variants, literally": (
        "broadsheet,cloudfront",
        replace(ARTICLE, vary=("Accept-Language",), literal=True),
        {"Cache-Control": "no-store", "Broadsheet-Cache-Control": FULL},
    ),
    "bunny, variants": (
        "bunny",
        replace(ARTICLE, vary=("Origin",)),
        {"Cache-Control": "no-store"},
    ),
    "cloudfront, codings alone": (
        "cloudfront",
        replace(ARTICLE, vary=("Accept-Encoding",)),
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
    "cloudfront, private variants": (
        "cloudfront",
        replace(ACCOUNT, vary=("Accept-Language",)),
        {"Cache-Control": "private, max-age=300"},
    ),
    "nginx, variants": (
        "nginx",
        replace(ARTICLE, vary=("Accept-Language",)),
        {"Cache-Control": BROWSER, "X-Accel-Expires": "0"},
    ),
    "cloudflare static": (
        "cloudflare",
        STATIC,
        {"Cache-Control": f"{YEAR}, immutable", "CDN-Cache-Control": YEAR},
    ),
    "fastly article": (
        "fastly",
        ARTICLE,
        {"Cache-Control": BROWSER, "Surrogate-Control": "max-age=60"},
    ),
    "fastly fields": (
        "fastly",
        FIELDS,
        {"Cache-Control": FOR_ALL, "Surrogate-Control": FOR_EDGE},
    ),
    "cloudfront article": (
        "cloudfront",
        ARTICLE,
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
    "cloudfront fields": (
        "cloudfront",
        FIELDS,
        {"Cache-Control": FOR_ALL},
    ),
    "bunny article": (
        "bunny",
        ARTICLE,
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
    "varnish article": (
        "varnish",
        ARTICLE,
        {"Cache-Control": BROWSER, "Surrogate-Control": "max-age=60"},
    ),
    "nginx article": ("nginx", ARTICLE, {"Cache-Control": BROWSER, "X-Accel-Expires": "60"}),
    "nginx static": (
        "nginx",
        STATIC,
        {"Cache-Control": f"{YEAR}, immutable", "X-Accel-Expires": "31536000"},
    ),
    "generic article": (
        "generic",
        ARTICLE,
        {
            "Cache-Control": "max-age=0, must-revalidate, s-maxage=60",
            "CDN-Cache-Control": "max-age=60",
        },
    ),
    "broadsheet article": (
        "broadsheet",
        ARTICLE,
        {"Cache-Control": BROWSER, "Broadsheet-Cache-Control": f"{FULL}, purged"},
    ),
    "broadsheet, purged and timed": (
        "broadsheet,cloudflare",
        replace(ARTICLE, timed=True),
        {
            "Cache-Control": BROWSER,
            "Broadsheet-Cache-Control": FULL,
            "CDN-Cache-Control": "max-age=60",
        },
    ),
    "timed alone is not capped": (
        "broadsheet,cloudflare",
        replace(ARTICLE, timed=True, purged=False),
        {"Cache-Control": BROWSER, "Broadsheet-Cache-Control": FULL, "CDN-Cache-Control": FULL},
    ),
    "two at once": (
        "cloudflare,varnish",
        ARTICLE,
        {
            "Cache-Control": BROWSER,
            "CDN-Cache-Control": "max-age=60",
            "Surrogate-Control": "max-age=60",
        },
    ),
    "none": ("", ARTICLE, {"Cache-Control": BROWSER}),
    "bunny, with a longer edge": (
        "bunny",
        replace(ARTICLE, edge=Freshness(ttl=timedelta(seconds=30), must_revalidate=True)),
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=30"},
    ),
    "literal is not capped and not marked as purged": (
        "broadsheet,cloudflare,bunny",
        replace(ARTICLE, literal=True, vary=("Accept",)),
        {
            "Cache-Control": "no-store",
            "Broadsheet-Cache-Control": FULL,
            "CDN-Cache-Control": "no-store",
        },
    ),
    "literal edges, of which one mixes variants": (
        "varnish,cloudflare",
        replace(ARTICLE, literal=True, vary=("Accept",)),
        {
            "Cache-Control": "max-age=0, must-revalidate, s-maxage=86400",
            "Surrogate-Control": FULL,
            "CDN-Cache-Control": "no-store",
        },
    ),
}
HOUR = timedelta(hours=1)
UNNAMED = {
    "the edge's time is shorter": (
        Policy(name="P", browser=Freshness(ttl=2 * HOUR), edge=Freshness(ttl=HOUR)),
        "max-age=7200, s-maxage=60",
        "max-age=3600, purged",
    ),
    "the edge's time is below the cap": (
        Policy(name="P", browser=Freshness(ttl=2 * HOUR), edge=Freshness(ttl=HOUR / 120)),
        "max-age=7200, s-maxage=30",
        "max-age=30, purged",
    ),
    "the edge's time is equal": (
        Policy(name="P", browser=Freshness(ttl=HOUR), edge=Freshness(ttl=HOUR)),
        "max-age=3600",
        "max-age=3600, purged",
    ),
    "the edge must revalidate": (
        Policy(
            name="P",
            browser=Freshness(ttl=HOUR),
            edge=Freshness(ttl=2 * HOUR, must_revalidate=True),
        ),
        "max-age=3600, s-maxage=60, proxy-revalidate",
        "max-age=7200, must-revalidate, purged",
    ),
    "the edge must revalidate, at an equal time below the cap": (
        Policy(
            name="P",
            browser=Freshness(ttl=HOUR / 120),
            edge=Freshness(ttl=HOUR / 120, must_revalidate=True),
        ),
        "max-age=30, proxy-revalidate",
        "max-age=30, must-revalidate, purged",
    ),
    "both must revalidate": (
        Policy(
            name="P",
            browser=Freshness(ttl=2 * HOUR, must_revalidate=True),
            edge=Freshness(ttl=HOUR, must_revalidate=True),
        ),
        "max-age=7200, must-revalidate, s-maxage=60",
        "max-age=3600, must-revalidate, purged",
    ),
    "the edge always validates": (
        Policy(name="P", browser=Freshness(ttl=HOUR), edge=Freshness(no_cache=True)),
        "max-age=3600, s-maxage=0",
        "no-cache, purged",
    ),
    "the edge always validates, the browser at once": (
        Policy(name="P", browser=Freshness(), edge=Freshness(no_cache=True)),
        "max-age=0, s-maxage=0",
        "no-cache, purged",
    ),
    "both always validate": (
        Policy(name="P", browser=Freshness(no_cache=True), edge=Freshness(no_cache=True)),
        "no-cache",
        "no-cache, purged",
    ),
    "a policy that relies on no purge": (
        Policy(
            name="P",
            browser=Freshness(ttl=2 * HOUR),
            edge=Freshness(ttl=HOUR),
            purged=False,
            timed=True,
        ),
        "max-age=7200, s-maxage=3600",
        "max-age=3600",
    ),
}


@pytest.mark.parametrize(("policy", "all_caches", "gateway"), UNNAMED.values(), ids=UNNAMED)
def test_an_edge_that_is_not_named_is_capped_and_the_gateway_is_not(
    policy: Policy, all_caches: str, gateway: str
) -> None:
    """A stricter edge freshness is also written for edges that read only Cache-Control."""
    lines = format_policy(policy, parse_dialects("broadsheet"), cap=timedelta(minutes=1))
    assert dict(lines) == {"Cache-Control": all_caches, "Broadsheet-Cache-Control": gateway}
    assert dict(format_policy(policy, (), cap=timedelta(minutes=1))) == {
        "Cache-Control": all_caches
    }


PURGEABLE = {
    "fastly": ("fastly", {"Surrogate-Control": "max-age=86400, stale-if-error=604800"}),
    "varnish": ("varnish", {"Surrogate-Control": FULL}),
    "nginx": ("nginx", {"X-Accel-Expires": "86400"}),
    "bunny": ("bunny", {"Cache-Control": "max-age=0, must-revalidate, s-maxage=86400"}),
    "bunny and an edge that is not purged": (
        "bunny,cloudfront",
        {"Cache-Control": "max-age=0, must-revalidate, s-maxage=60"},
    ),
}


@pytest.mark.parametrize(("dialects", "headers"), PURGEABLE.values(), ids=PURGEABLE)
def test_an_edge_that_can_be_purged_gets_the_whole_time(
    dialects: str, headers: dict[str, str]
) -> None:
    """Fastly gets no stale-while-revalidate; of edges that share a line the shortest time counts."""
    purgeable = with_purgeable(parse_dialects(dialects), {"fastly", "varnish", "nginx", "bunny"})
    lines = dict(format_policy(ARTICLE, purgeable, cap=timedelta(minutes=1)))
    assert lines == {"Cache-Control": BROWSER, **headers}


def test_a_page_that_is_not_purged_may_be_served_while_fastly_revalidates_it() -> None:
    """Only a soft purge makes the directive wrong."""
    page = replace(ARTICLE, purged=False, timed=True)
    lines = dict(format_policy(page, parse_dialects("fastly"), cap=timedelta(minutes=1)))
    assert lines["Surrogate-Control"] == FULL


def test_the_seconds_of_nginx_precede_cache_control() -> None:
    """Nginx before 1.23 stores nothing if it reads `max-age=0` first."""
    names = [name for name, _ in format_policy(ARTICLE, parse_dialects("nginx"), cap=None)]
    assert names == ["X-Accel-Expires", "Cache-Control"]


def test_nginx_stores_nothing_that_must_always_be_validated() -> None:
    """X-Accel-Expires has no directive for it but zero."""
    page = Policy(name="P", edge=Freshness(no_cache=True))
    assert dict(format_policy(page, parse_dialects("nginx"), cap=None))["X-Accel-Expires"] == "0"


def test_stale_spans_are_never_given_to_an_edge_that_is_capped() -> None:
    """Nothing ends them early when a page changes."""
    for name, dialect in DIALECTS.items():
        freshness = freshness_for(ARTICLE, dialect, cap=timedelta(minutes=1))
        spans = (freshness.stale_while_revalidate, freshness.stale_if_error)
        assert spans == (
            (ARTICLE.edge_freshness.stale_while_revalidate, ARTICLE.edge_freshness.stale_if_error)
            if name == "broadsheet"
            else (None, None)
        )


@pytest.mark.parametrize(("dialects", "policy", "headers"), GOLDEN.values(), ids=GOLDEN)
def test_a_dialect_spells_a_policy(dialects: str, policy: Policy, headers: dict[str, str]) -> None:
    """The exact header lines, with the usual cap."""
    assert (
        dict(format_policy(policy, parse_dialects(dialects), cap=timedelta(minutes=1))) == headers
    )


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_a_private_page_tells_no_edge_anything(dialect: str) -> None:
    """A private policy is written in Cache-Control only."""
    assert format_policy(ACCOUNT, parse_dialects(dialect), cap=None) == (
        ("Cache-Control", "private, max-age=300"),
    )
    assert format_policy(NO_STORE, parse_dialects(dialect), cap=None) == (
        ("Cache-Control", "no-store"),
    )


def test_without_a_cap_an_edge_gets_all_of_it() -> None:
    """Stale directives are combined with max-age, never with s-maxage."""
    assert (
        dict(format_policy(ARTICLE, parse_dialects("fastly"), cap=None))["Surrogate-Control"]
        == FULL
    )


def test_an_edge_that_reads_cache_control_alone_keeps_no_longer_than_an_edge_may() -> None:
    """If the edge's lifetime is shorter, it is sent even to unnamed edges."""
    assert dict(format_policy(FIELDS, (), cap=None))["Cache-Control"] == FOR_ALL


LITERAL = {
    "max-age": ({"max_age": 120}, "max-age=120"),
    "s-maxage": ({"max_age": 60, "s_maxage": 300}, "max-age=60, s-maxage=300"),
    "public": ({"max_age": 60, "public": True}, "public, max-age=60"),
    "private": ({"max_age": 60, "private": True}, "private, max-age=60"),
    "private fields": (
        {"max_age": 60, "private": ["Set-Cookie"]},
        'private="Set-Cookie", max-age=60',
    ),
    "no-cache": ({"no_cache": True}, "no-cache"),
    "no-cache fields": (
        {"max_age": 60, "no_cache": "X-A, X-B"},
        'max-age=60, no-cache="X-A, X-B"',
    ),
    "no-store": ({"no_store": True}, "no-store"),
    "no-transform": ({"max_age": 60, "no_transform": True}, "max-age=60, no-transform"),
    "must-revalidate": ({"max_age": 60, "must_revalidate": True}, "max-age=60, must-revalidate"),
    "proxy-revalidate": ({"max_age": 60, "proxy_revalidate": True}, "max-age=60, proxy-revalidate"),
    "must-understand": (
        {"max_age": 60, "must_understand": True},
        "max-age=60, must-understand, no-store",
    ),
    "immutable": ({"max_age": 60, "immutable": True}, "max-age=60, immutable"),
    "stale": (
        {"max_age": 60, "stale_while_revalidate": 30, "stale_if_error": 90},
        "max-age=60, stale-while-revalidate=30, stale-if-error=90",
    ),
}


@pytest.mark.parametrize(("arguments", "header"), LITERAL.values(), ids=LITERAL)
@pytest.mark.parametrize("dialects", ["", "cloudflare", "generic,broadsheet"])
def test_each_directive_of_the_rfcs_is_written_as_it_was_said(
    arguments: dict[str, Any], header: str, dialects: str
) -> None:
    """RFC 9111 §5.2.2, RFC 5861 and RFC 8246, for every edge."""
    mark = find_route_policy(cache_control(**arguments)(lambda: ""))
    assert mark is not None
    lines = format_policy(mark.policy, parse_dialects(dialects), cap=timedelta(minutes=1))
    assert lines == (("Cache-Control", header),)


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    """The message lists the known names."""
    with pytest.raises(PolicyError, match=r"akamai.*Known edges: broadsheet, bunny, cloudflare"):
        parse_dialects("cloudflare, akamai")


@pytest.mark.parametrize("names", ["", "none", " None "])
def test_no_edge_in_front_has_a_name(names: str) -> None:
    """EDGE may say none, as the help of the setting explains."""
    assert parse_dialects(names) == ()


@pytest.mark.parametrize("names", ["none,fastly", "fastly,none"])
def test_none_excludes_every_edge(names: str) -> None:
    """A list that contains none and an edge contradicts itself."""
    with pytest.raises(PolicyError, match="EDGE contains 'none'"):
        parse_dialects(names)


def test_an_edge_that_is_configured_for_it_keeps_variants_apart() -> None:
    """By the fields in EDGE_VARY; bunny can't be configured."""
    page = replace(ARTICLE, vary=("Accept-Language",))
    configured = with_configured_variants(
        parse_dialects("cloudflare,cloudfront,bunny"), ("Accept-Language",)
    )
    mixed = {dialect.name: mixed_fields(page, dialect) for dialect in configured}
    assert mixed == {"cloudflare": (), "cloudfront": (), "bunny": ("Accept-Language",)}
    other = replace(ARTICLE, vary=("Accept",))
    assert all(mixed_fields(other, dialect) == ("Accept",) for dialect in configured)


def test_an_edge_without_a_list_of_variants_obeys_vary() -> None:
    """EDGE_VARY adds fields only to the edges that are configured with them."""
    dialects = (*parse_dialects("varnish,generic"), replace(DIALECTS["cloudflare"], variants=None))
    assert with_configured_variants(dialects, ("Accept-Language",)) == dialects


def test_names_of_edges_may_have_spaces_and_any_case() -> None:
    """Each edge is listed once."""
    assert parse_dialects(" Fastly , varnish,fastly,") == parse_dialects(["fastly", "varnish"])


def test_a_policy_with_no_store_is_written_with_its_restrictions() -> None:
    """The same line for every edge, and no other."""
    policy = Policy(
        name="P",
        no_store=True,
        private=("X-A",),
        no_transform=True,
        browser=Freshness(no_cache=("X-B",), must_revalidate=True),
    )
    line = 'private="X-A", no-cache="X-B", no-store, must-revalidate, no-transform'
    for dialect in DIALECTS.values():
        assert format_policy(policy, (dialect,), cap=None) == (("Cache-Control", line),)
