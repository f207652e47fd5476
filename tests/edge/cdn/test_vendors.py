"""Tests of single vendors; the contract tests what all drivers have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from app.edge.cdn import CallLimits, PurgeError, PurgeTarget
from app.edge.cdn.cloudflare.driver import PLANS
from app.edge.purge.quota import refill, time_until_token
from app.edge.testing import Ending

from .driver_stages import (
    DRIVER_CASES,
    by_bunny,
    by_cloudflare,
    by_cloudfront,
    by_fastly,
    by_purge,
    by_varnish,
)
from .fakes import cloudflare
from .fakes.bunny import Bunny
from .fakes.cloudflare import Cloudflare, Token
from .fakes.cloudfront import CloudFront
from .fakes.fastly import Fastly
from .fakes.purge_cache import PurgingCache
from .fakes.server import FakeEdge
from .fakes.varnish import VarnishNode

A, GONE = PurgeTarget(url="/a", tag="p-a"), PurgeTarget(url="/gone", tag="p-gone", hard_purge=True)
KINDS = (Cloudflare, Fastly, CloudFront, Bunny, PurgingCache, VarnishNode)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[type[FakeEdge], FakeEdge]]:
    """One fake of each kind for all tests of the module."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(kind()) for kind in KINDS}


@pytest.fixture
def edge(request: pytest.FixtureRequest, servers: dict[type[FakeEdge], FakeEdge]) -> FakeEdge:
    """The fake that the test's annotation names, as new."""
    fake_edge = servers[request.param]
    fake_edge.begin()
    return fake_edge


def before(kind: type[FakeEdge]) -> pytest.MarkDecorator:
    """Run the test with an `edge` of this kind."""
    return pytest.mark.parametrize("edge", [kind], indirect=True, ids=[kind.__name__.lower()])


def pages(count: int) -> list[PurgeTarget]:
    """So many pages."""
    return [PurgeTarget(url=f"/{number}", tag=f"p-{number}") for number in range(count)]


def advance(edge: FakeEdge, limits: CallLimits, level: float) -> float:
    """Wait as the relay does until a call may be made; what is left after it."""
    patience = time_until_token(level, limits)
    edge.clock.advance(patience)
    return refill(level, patience, limits) - 1


@pytest.mark.parametrize("name", DRIVER_CASES)
def test_within_the_limits_no_call_is_refused(
    name: str, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """As quick as the relay may ever be, with full batches."""
    play = DRIVER_CASES[name]
    edge = servers[play.edge]
    edge.begin()
    driver = play.driver(edge)
    limits: CallLimits = driver.limits
    level, batch = float(limits.burst), pages(limits.batch)
    for _ in range(limits.burst + 15):
        level = advance(edge, limits, level)
        driver.purge(batch)


@pytest.mark.parametrize(
    ("kind", "name", "calls"), [(Cloudflare, "cloudflare", 26), (Bunny, "bunny", 121)]
)
def test_beyond_the_limits_the_fakes_refuse(
    kind: type[FakeEdge], name: str, calls: int, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """And the driver hears for how long."""
    servers[kind].begin()
    driver = DRIVER_CASES[name].driver(servers[kind])
    for _ in range(calls - 1):
        driver.purge([A])
    with pytest.raises(PurgeError, match="the rate limit is reached") as error:
        driver.purge([A])
    assert error.value.retryable
    assert error.value.retry_after


@pytest.mark.parametrize("name", ["cloudflare", "cloudflare-url", "fastly"])
def test_a_batch_that_is_too_long_is_refused(
    name: str, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """The call is at fault and not the network, so it is not retryable."""
    play = DRIVER_CASES[name]
    servers[play.edge].begin()
    driver = play.driver(servers[play.edge])
    with pytest.raises(PurgeError, match=r"at a time|Too many keys") as error:
        driver.purge(pages(driver.limits.batch + 1))
    assert not error.value.retryable


@pytest.mark.parametrize("name", ["cloudflare", "fastly", "bunny", "varnish", "cloudfront-tag"])
def test_a_page_without_a_tag_is_no_success(
    name: str, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """An edge that is purged by tag could not find it."""
    play = DRIVER_CASES[name]
    with pytest.raises(PurgeError, match="/untagged has no tag") as error:
        play.driver(servers[play.edge]).purge([PurgeTarget(url="/untagged")])
    assert not error.value.retryable


@pytest.mark.parametrize(("kind", "make"), [(Fastly, by_fastly), (VarnishNode, by_varnish)])
def test_what_lost_nothing_may_stand_in(
    kind: type[FakeEdge], make: object, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """Where an edge can be purged softly, only what lost something is purged for good."""
    edge = servers[kind]
    edge.begin()
    driver = make(edge)  # type: ignore[operator]
    edge.store(A)
    edge.store(GONE)
    driver.purge([A, GONE])
    assert not edge.keeps(A)
    assert edge.is_served_stale(A)
    assert not edge.is_served_stale(GONE)
    driver.purge_everything()
    assert not edge.is_served_stale(A)


# URLs that readers choose

HOME = PurgeTarget(url="/", tag="p-home")
CHOSEN_BY_READERS = {
    "a tilde": "/~user",
    "a star": "/articles/*",
    "a star alone": "/*",
    "a star inside": "/a*b",
    "a star in a query": "/search?q=*",
    "two slashes": "//evil.example/x",
    "a fragment": "/search?q=a#b",
    "brackets": "/search?q=[1]",
    "what RFC 1738 calls unsafe": '/search?q=<>"{}|\\^`',
    "a space": "/search?q=a b",
    "letters of another script": "/caf\u00e9?q=\u65e5",
    "a broken code": "/search?q=100%",
    "encoded already": "/caf%C3%A9?q=100%25",
    "a very long one": "/search?q=" + 4000 * "x",
    "encoded, a very long one": "/" + 1400 * "%C3%A9",
    "markup": "/search?q=<Path>/*</Path>&amp;",
    "a tag": "/#p-home",
}
BY_URL = ("cloudflare-url", "cloudfront", "generic")


@pytest.mark.parametrize("name", BY_URL)
@pytest.mark.parametrize("url", CHOSEN_BY_READERS.values(), ids=CHOSEN_BY_READERS)
def test_no_url_of_a_reader_spoils_or_widens_a_purge(
    name: str, url: str, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """The page beside it is purged, the call is taken, and no other page is lost."""
    play = DRIVER_CASES[name]
    edge = servers[play.edge]
    edge.begin()
    for target in (HOME, A, GONE):
        edge.store(target)
    play.driver(edge).purge([HOME, PurgeTarget(url=url, tag="p-x"), A])
    assert not edge.keeps(HOME)
    assert not edge.keeps(A)
    assert edge.keeps(GONE)


@pytest.mark.parametrize("name", BY_URL)
@pytest.mark.parametrize("url", ["/~user", "/caf%C3%A9?q=100%25", "/a,b;c=d:e@f!$&'()+"])
def test_a_url_with_one_spelling_is_purged(
    name: str, url: str, servers: dict[type[FakeEdge], FakeEdge]
) -> None:
    """By the spelling that readers ask for, as each edge wants it encoded."""
    play = DRIVER_CASES[name]
    edge = servers[play.edge]
    edge.begin()
    target = PurgeTarget(url=url, tag="p-x")
    edge.store(target)
    play.driver(edge).purge([target])
    assert not edge.keeps(target)


@before(CloudFront)
def test_a_path_is_invalidated_up_to_the_longest_that_cloudfront_accepts(edge: FakeEdge) -> None:
    """A purge of longer paths only makes no call: CloudFront refuses an empty list."""
    assert isinstance(edge, CloudFront)
    driver, longest = by_cloudfront(edge), "/" + 3999 * "x"
    driver.purge([PurgeTarget(url=f"{longest}x"), PurgeTarget(url=3998 * "é")])
    assert edge.requests == []
    driver.purge([PurgeTarget(url=longest), PurgeTarget(url=f"{longest}x")])
    assert edge.invalidations[0].items == [longest]


@before(Cloudflare)
def test_a_url_is_purged_once_and_at_the_site_of_its_page(edge: FakeEdge) -> None:
    """The settings may name another site than that of the page."""
    assert isinstance(edge, Cloudflare)
    other = PurgeTarget(url="/a", tag="p-a", site="https://other.example.org")
    by_cloudflare(edge, by="url").purge([A, other, A, other])
    files = json.loads(edge.requests[-1].body)["files"]
    assert [url.removeprefix("https://") for url in files] == [
        "www.example.org/a",
        "other.example.org/a",
    ]


@before(PurgingCache)
def test_a_reader_who_asks_for_the_path_of_everything_purges_nothing(edge: FakeEdge) -> None:
    """The path of EDGE_PURGE_ALL is sent only for a purge of everything."""
    edge.store(HOME)
    by_purge(edge, everything="/purge-all").purge([PurgeTarget(url="/purge-all")])
    assert not [request for request in edge.requests if request.target == "/purge-all"]
    by_purge(edge, everything="/*").purge_everything()
    assert not edge.keeps(HOME)


REFUSED_BY_CLOUDFRONT = ("/~user", "/a*b", "/a|b", "/[1]", "/a b", "/100%", "/" + 4000 * "x")


@before(CloudFront)
@pytest.mark.parametrize("path", REFUSED_BY_CLOUDFRONT)
def test_the_fake_refuses_what_cloudfront_refuses(edge: FakeEdge, path: str) -> None:
    """Unsafe characters, a wildcard that is not at the end, a path that is too long."""
    with pytest.raises(PurgeError, match="invalid invalidation paths") as error:
        by_cloudfront(edge)._invalidate(["/", path], "reference")
    assert not error.value.retryable


@before(CloudFront)
def test_sixteen_wildcards_in_progress_are_too_many(edge: FakeEdge) -> None:
    """CloudFront takes fifteen, and more of them when those are done."""
    driver = by_cloudfront(edge)
    for _ in range(15):
        driver.purge_everything()
    with pytest.raises(PurgeError, match="in progress") as error:
        driver.purge_everything()
    assert error.value.retryable
    edge.clock.advance(timedelta(minutes=2))
    driver.purge_everything()


# Cloudflare


@before(Cloudflare)
def test_a_purge_that_did_not_succeed_is_an_error(edge: FakeEdge) -> None:
    """200 with `success: false` is Cloudflare's way to say so."""
    body = b'{"success": false, "errors": [{"code": 1, "message": "Try\\nlater"}]}'
    edge.ends(Ending(body=body))
    with pytest.raises(PurgeError, match="it did not purge: Try later") as error:
        by_cloudflare(edge).purge([A])
    assert error.value.retryable


@before(Cloudflare)
@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (Token(status="expired"), "the token is expired"),
        (Token(status="disabled"), "the token is disabled"),
        (Token(may={"read"}), "the token is valid but may not purge zone 0123456789abcdef"),
        (Token(zones={"f" * 32}), "the token is valid but may not purge zone 0123456789abcdef"),
        (None, "the credentials were rejected .Invalid access token.; check EDGE_CLOUDFLARE_"),
    ],
    ids=["expired", "disabled", "no-purge", "other-zone", "unknown"],
)
def test_the_check_of_a_token_says_what_is_wrong(
    edge: FakeEdge, token: Token | None, sentence: str
) -> None:
    """The token is invalid, has expired, or lacks a permission."""
    assert isinstance(edge, Cloudflare)
    edge.tokens = {cloudflare.TOKEN: token} if token else {}
    with pytest.raises(PurgeError, match=sentence) as error:
        by_cloudflare(edge).check()
    assert error.value.credentials_rejected


@before(Cloudflare)
def test_a_token_that_may_only_purge_is_enough(edge: FakeEdge) -> None:
    """The zone's name can't be read then, and that is no fault."""
    assert isinstance(edge, Cloudflare)
    edge.tokens = {cloudflare.TOKEN: Token(may={"purge"})}
    by_cloudflare(edge).check()


@before(Cloudflare)
@pytest.mark.parametrize("name", ["example.net", "ample.org"])
def test_a_zone_that_is_not_the_sites_is_found(edge: FakeEdge, name: str) -> None:
    """All purges would succeed but would not purge a page of the site."""
    assert isinstance(edge, Cloudflare)
    edge.name = name
    with pytest.raises(PurgeError, match=f"belongs to {name}, but the site is at www.example.org"):
        by_cloudflare(edge).check()


@before(Cloudflare)
def test_a_zone_that_does_not_exist_is_named(edge: FakeEdge) -> None:
    """The setting is named too."""
    edge.ends(Ending(status=404, body=b'{"errors": [{"code": 7003, "message": "No route"}]}'))
    with pytest.raises(PurgeError, match=r"has no zone 0123.*EDGE_CLOUDFLARE_ZONE") as error:
        by_cloudflare(edge).purge([A])
    assert error.value.credentials_rejected


@pytest.mark.parametrize("plan", PLANS)
def test_each_plan_is_purged_at_its_own_pace(plan: str) -> None:
    """By URL at least as quickly as by tag, and never more than a hundred at a time."""
    tags, urls = PLANS[plan].limits("tag"), PLANS[plan].limits("url")
    assert tags.batch == urls.batch == 100
    assert tags.per_second
    assert urls.per_second
    assert urls.per_second * urls.batch <= PLANS[plan].urls_per_second


# Fastly


@before(Fastly)
@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ({"scope": "purge_select", "services": []}, "lacks the scope purge_all"),
        ({"scope": "global:read"}, "lacks the scope purge_all and purge_select"),
        ({"scope": "global", "services": ["other"]}, "not valid for a service"),
    ],
    ids=["no-purge-all", "read-only", "other-service"],
)
def test_the_check_tells_what_a_fastly_token_lacks(
    edge: FakeEdge, token: dict[str, object], sentence: str
) -> None:
    """Scopes and services are read before anything fails."""
    assert isinstance(edge, Fastly)
    edge.token = token
    with pytest.raises(PurgeError, match=sentence) as error:
        by_fastly(edge).check()
    assert error.value.credentials_rejected


@before(Fastly)
def test_a_fastly_token_for_everything_is_enough(edge: FakeEdge) -> None:
    """`global`, for all services."""
    assert isinstance(edge, Fastly)
    edge.token = {"scope": "global", "services": []}
    by_fastly(edge).check()


# bunny


@before(Bunny)
def test_a_pull_zone_that_is_not_ours_is_found(edge: FakeEdge) -> None:
    """Whether it does not exist or serves another site."""
    assert isinstance(edge, Bunny)
    with pytest.raises(PurgeError, match="has no pull zone 815") as error:
        by_bunny(edge, zone="815").purge([A])
    assert error.value.credentials_rejected
    edge.hostnames = ["www.example.net"]
    with pytest.raises(PurgeError, match=r"serves www.example.net, and the site is at www.exa"):
        by_bunny(edge).check()


# CloudFront


@before(CloudFront)
def test_a_try_of_the_same_purge_counts_once(edge: FakeEdge) -> None:
    """An equal idempotency key means the same purge; without a key each call is a new purge."""
    assert isinstance(edge, CloudFront)
    driver = by_cloudfront(edge)
    first = PurgeTarget(url="/a", tag="p-a", idempotency_key="1")
    for ticket in (first, first, PurgeTarget(url="/a", tag="p-a", idempotency_key="2"), A, A):
        driver.purge([ticket])
    assert len(edge.invalidations) == 4


@before(CloudFront)
def test_an_address_with_a_query_is_invalidated_as_it_is(edge: FakeEdge) -> None:
    """It is XML on the way, and a path with its slash when it arrives."""
    assert isinstance(edge, CloudFront)
    target = PurgeTarget(url="https://www.example.org/search?q=a&b=%3C")
    by_cloudfront(edge).purge([target, target, PurgeTarget(url="")])
    assert edge.invalidations[0].items == ["/search?q=a&b=%3C", "/"]


@before(CloudFront)
@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1)], ids=["fast", "slow"])
def test_a_clock_that_is_wrong_is_a_hint(edge: FakeEdge, ahead: timedelta) -> None:
    """A signature has an hour; the sentence says where to look."""
    now = edge.clock() + ahead
    driver = by_cloudfront(edge, clock=lambda: now)
    with pytest.raises(PurgeError, match=r"Signature expired.*the clock of this machine") as error:
        driver.purge([A])
    assert error.value.credentials_rejected


@before(CloudFront)
def test_a_temporary_key_signs_with_its_session(edge: FakeEdge) -> None:
    """The right secret is accepted with the session token, a wrong one is refused."""
    assert isinstance(edge, CloudFront)
    edge.session = "s3ssion"
    by_cloudfront(edge, session="s3ssion").purge([A])
    with pytest.raises(PurgeError, match="does not match") as error:
        by_cloudfront(edge, secret="wrong", session="s3ssion").purge([A])
    assert error.value.credentials_rejected


@before(CloudFront)
def test_a_distribution_with_too_much_in_progress_is_left_alone(edge: FakeEdge) -> None:
    """For a minute; then the next call is taken."""
    driver = by_cloudfront(edge)
    for _ in range(12):
        driver.purge(pages(250))
    assert driver._count_in_progress() == 12
    with pytest.raises(PurgeError, match="3000 paths or 15 wildcards are in progress") as error:
        driver.purge([A])
    assert error.value.retry_after == timedelta(minutes=1)
    edge.clock.advance(timedelta(minutes=1))
    assert driver._count_in_progress() == 0
    driver.purge([A])


@before(CloudFront)
def test_the_check_finds_what_makes_invalidations_useless(edge: FakeEdge) -> None:
    """A distribution of another site, or by tag without a tag header; what may not be read is fine."""
    assert isinstance(edge, CloudFront)
    edge.tag_header = "X-Tags"
    by_cloudfront(edge).check()
    with pytest.raises(PurgeError, match="does not name Cache-Tag"):
        by_cloudfront(edge, by="tag").check()
    edge.names = ["www.example.net"]
    with pytest.raises(PurgeError, match=r"serves www.example.net") as error:
        by_cloudfront(edge).check()
    assert error.value.credentials_rejected
    edge.may.discard("GET /config")
    by_cloudfront(edge).check()


@before(CloudFront)
def test_a_distribution_that_is_not_ours_is_named(edge: FakeEdge) -> None:
    """The setting is named too."""
    edge.ends(Ending(status=404, body=b"<Error><Code>NoSuchDistribution</Code></Error>"))
    with pytest.raises(
        PurgeError, match=r"no distribution E2EXAMPLE1: .*EDGE_CLOUDFRONT_DISTRIBUTION"
    ) as error:
        by_cloudfront(edge).purge([A])
    assert error.value.credentials_rejected


# Generic


@before(PurgingCache)
def test_an_edge_without_a_way_to_purge_everything_says_so(edge: FakeEdge) -> None:
    """It is never taken for done."""
    with pytest.raises(PurgeError, match="set EDGE_PURGE_ALL"):
        by_purge(edge, everything="").purge_everything()
    assert edge.requests == []


@before(PurgingCache)
@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_edge_that_does_not_know_purge_is_found(edge: FakeEdge, status: int) -> None:
    """A 404 to a purge of everything is not a success either."""
    edge.ends(Ending(status=status))
    with pytest.raises(
        PurgeError, match=f"does not support PURGE .{status}.: check EDGE_PURGE_URL"
    ):
        by_purge(edge).purge_everything()


# Varnish


@before(VarnishNode)
@pytest.mark.parametrize("status", [200, 404, 405, 501])
def test_a_varnish_with_another_vcl_is_found(edge: FakeEdge, status: int) -> None:
    """A response of the origin never counts as success."""
    edge.ends(Ending(status=status, headers={"Content-Type": "text/html"}, body=b"<html>"))
    with pytest.raises(PurgeError, match="flask edge config varnish") as error:
        by_varnish(edge).purge([A])
    assert error.value.retryable
