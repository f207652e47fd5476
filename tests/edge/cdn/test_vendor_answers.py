"""What a driver makes of single answers of its vendor's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from app.edge.cdn import PurgeError, PurgeTarget
from app.edge.cdn.bunny import driver as bunny
from app.edge.cdn.cloudflare import driver as cloudflare
from app.edge.cdn.cloudfront import driver as cloudfront
from app.edge.cdn.fastly import driver as fastly

SITE = "https://www.example.org"
A = PurgeTarget(url="/a", tag="p-a")
ZONE = "0" * 32
VALUES: Mapping[str, str] = MappingProxyType(
    {
        "EDGE_BUNNY_ZONE": "7",
        "EDGE_BUNNY_KEY": "key",
        "EDGE_CLOUDFLARE_ZONE": ZONE,
        "EDGE_CLOUDFLARE_TOKEN": "token",
        "EDGE_CLOUDFLARE_PLAN": "free",
        "EDGE_CLOUDFLARE_BY": "tag",
        "EDGE_CLOUDFRONT_DISTRIBUTION": "E1ABCDEFGHIJKL",
        "EDGE_CLOUDFRONT_BY": "path",
        "EDGE_CLOUDFRONT_KEY": "AKIDEXAMPLE",
        "EDGE_CLOUDFRONT_SECRET": "secret",
        "EDGE_CLOUDFRONT_SESSION": "",
        "EDGE_FASTLY_SERVICE": "service",
        "EDGE_FASTLY_TOKEN": "token",
    }
)
MODULES: dict[str, Any] = {
    "bunny": bunny,
    "cloudflare": cloudflare,
    "cloudfront": cloudfront,
    "fastly": fastly,
}
Answer = tuple[int, str | dict[str, object]]


def driver(name: str, answer: Callable[[httpx.Request], Answer], **values: str) -> Any:
    """A driver whose API gives these answers."""

    def respond(request: httpx.Request) -> httpx.Response:
        status, content = answer(request)
        if isinstance(content, dict):
            return httpx.Response(status, json=content)
        kind = "text/html" if content.startswith("<html") else "text/xml"
        return httpx.Response(status, text=content, headers={"Content-Type": kind})

    client = httpx.Client(transport=httpx.MockTransport(respond))
    return MODULES[name].make_driver({**VALUES, **values}, site=SITE, client=client)


@pytest.mark.parametrize(
    ("name", "setting", "by_url"),
    [
        ("cloudflare", "tag", False),
        ("cloudflare", "url", True),
        ("cloudfront", "tag", False),
        ("cloudfront", "path", True),
    ],
)
def test_a_driver_states_how_it_purges(name: str, setting: str, *, by_url: bool) -> None:
    """The index of pages keeps what the driver needs."""
    cdn_driver = driver(name, lambda _: (500, ""), **{f"EDGE_{name.upper()}_BY": setting})
    assert cdn_driver.purges_by_url is by_url
    assert cdn_driver.purges_by_tag is not by_url


CONFIG = "<Distribution><Aliases>{}</Aliases></Distribution>"
NAMED = CONFIG.format("<CNAME>www.example.org</CNAME>")
OTHER = CONFIG.format("<CNAME>other.example.org</CNAME>")
CHECKS: dict[str, tuple[str, Answer, str]] = {
    "a distribution without names": ("cloudfront", (200, CONFIG.format("")), ""),
    "a distribution of the site": ("cloudfront", (200, NAMED), ""),
    "a distribution of another site": ("cloudfront", (200, OTHER), "serves other.example.org"),
    "a key that may not read": ("cloudfront", (403, "<Error/>"), ""),
    "an outage": ("cloudfront", (500, "<Error/>"), "500"),
    "a page of a proxy": ("cloudfront", (200, "<html>"), "HTML"),
    "a rate limit": ("cloudfront", (400, "<Code>RequestLimitExceeded</Code>"), "rate limit"),
    "a wrong request": (
        "cloudfront",
        (400, "<Code>Odd</Code><Message>a reason</Message>"),
        "a reason",
    ),
    "an unknown service": ("fastly", (404, {"msg": "no"}), "not valid for a service service"),
    "a service of many": ("fastly", (200, {"scope": "global", "services": ["service"]}), ""),
    "every service": ("fastly", (200, {"scope": "global", "services": []}), ""),
    "another service": (
        "fastly",
        (200, {"scope": "global", "services": ["other"]}),
        "not valid for a service service",
    ),
    "one scope of two": ("fastly", (200, {"scope": "purge_select"}), "lacks the scope"),
    "an unknown pull zone": ("bunny", (404, {}), "has no pull zone 7"),
    "a pull zone without names": ("bunny", (200, {"Hostnames": []}), ""),
    "a pull zone of the site": ("bunny", (200, {"Hostnames": [{"Value": "WWW.Example.ORG"}]}), ""),
    "a pull zone of another site": (
        "bunny",
        (200, {"Hostnames": [{"Value": "other.example"}]}),
        "serves other.example",
    ),
    "a wrong request to bunny": ("bunny", (400, {"Message": "a reason"}), "a reason"),
}


@pytest.mark.parametrize("case", CHECKS)
def test_a_check_reports_what_is_wrong(case: str) -> None:
    """The check returns without an error if the settings are right."""
    name, answer, message = CHECKS[case]

    def respond(request: httpx.Request) -> Answer:
        is_list = request.url.path.endswith("/invalidation")
        return (200, "<InvalidationList/>") if is_list else answer

    cdn_driver = driver(name, respond)
    if not message:
        cdn_driver.check()
        return
    with pytest.raises(PurgeError, match=message):
        cdn_driver.check()


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("status", [200, 201])
def test_a_page_of_a_proxy_is_no_success(name: str, status: int) -> None:
    """A captive portal answers everything with its own page."""
    with pytest.raises(PurgeError):
        driver(name, lambda _: (status, "<html>Log in</html>")).purge([A])


@pytest.mark.parametrize("name", MODULES)
def test_a_purge_of_nothing_makes_no_call(name: str) -> None:
    """Some APIs refuse an empty list."""
    driver(name, lambda _: pytest.fail("a call was cdn_driver")).purge([])


@pytest.mark.parametrize(
    ("status", "success"), [(200, "true"), (200, 1), (200, None), (200, False), (400, True)]
)
def test_only_a_success_of_cloudflare_is_a_success(status: int, success: object) -> None:
    """The document says so with `true`, and the status with 2xx."""
    with pytest.raises(PurgeError):
        driver("cloudflare", lambda _: (status, {"success": success})).purge([A])


def test_a_distribution_that_does_not_exist_is_named() -> None:
    """The setting to check is named too."""
    with pytest.raises(PurgeError, match=r"no distribution E1.*EDGE_CLOUDFRONT_DISTRIBUTION"):
        driver("cloudfront", lambda _: (404, "<Code>NoSuchDistribution</Code>")).purge([A])


@pytest.mark.parametrize("by", ["path", "tag"])
@pytest.mark.parametrize("header", ["Cache-Tag", "cache-tag", "Surrogate-Key", ""])
def test_a_distribution_that_is_purged_by_tag_names_the_tag_header(by: str, header: str) -> None:
    """Without it an invalidation by tag succeeds and purges nothing; case does not matter."""
    name = f"<CacheTagConfig><HeaderName>{header}</HeaderName></CacheTagConfig>" if header else ""
    cdn_driver = driver("cloudfront", lambda _: (200, name), EDGE_CLOUDFRONT_BY=by)
    if by == "path" or header.lower() == "cache-tag":
        cdn_driver.check()
        return
    with pytest.raises(PurgeError, match="does not name Cache-Tag"):
        cdn_driver.check()
