"""What a VCL can't be made from is refused in one sentence; how it acts is tested in a Varnish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.edge.cdn.site_description import OriginServer, RouteRule, SiteDescription
from app.edge.cdn.varnish import vcl_config
from app.edge.policy.policy import PolicyError

PLAN = SiteDescription(
    site=OriginServer.of("https://example.org"),
    rules=(
        RouteRule(url_rule="/a", pattern='^/"a"$', wildcard="/a", policy="A", is_shared=True),
        RouteRule(url_rule="/b", pattern="^/b$", wildcard="/b", policy="B", is_shared=True),
        RouteRule(url_rule="/c", pattern="^/c$", wildcard="/c", policy="C", is_shared=False),
    ),
    origins=(OriginServer.of("http://10.0.0.1:8000"), OriginServer.of("http://[::1]")),
    dialects=("varnish",),
)


def test_each_origin_is_a_backend() -> None:
    """An IPv6 address is written without brackets, a default port is written too."""
    text = vcl_config.vcl(PLAN)
    for line in ('.host = "10.0.0.1";', '.port = "8000";', '.host = "::1";', '.port = "80";'):
        assert line in text
    assert text.count("origins.add_backend(") == 2


def test_an_expression_stays_within_its_quotes() -> None:
    """A quotation mark in a route closes nothing."""
    assert r'"^/\x22a\x22$"' in vcl_config.vcl(PLAN)


def test_routes_alike_stand_together() -> None:
    """One condition for each run of them."""
    text = vcl_config.vcl(PLAN)
    assert text.count('Broadsheet-Route = "public"') == 1
    assert text.count('Broadsheet-Route = "private"') == 1


def test_a_field_that_an_edge_further_out_needs_is_left_to_it() -> None:
    """Fastly reads Surrogate-Control too."""
    assert "unset resp.http.Surrogate-Control;" in vcl_config.vcl(PLAN)
    outer = vcl_config.vcl(replace(PLAN, dialects=("fastly", "varnish")))
    assert "unset resp.http.Surrogate-Control;" not in outer
    assert "unset resp.http.xkey;" in outer


def test_a_secret_is_written_only_when_it_is_given() -> None:
    """Otherwise Varnish reads it from a file."""
    assert "std.fileread(" in vcl_config.vcl(PLAN)
    text = vcl_config.vcl(replace(PLAN, secret="0123456789abcdef"))
    assert '"0123456789abcdef"' in text
    assert "std.fileread(" not in text


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"secret": "short"}, "too weak"),
        ({"secret": 'x" + "0123456789abcdef'}, "can't be sent in a header"),
        ({"secret_file": "secret"}, "absolute path"),
        ({"secret_file": '/a"b'}, "absolute path"),
        ({"purge_networks": ("everybody",)}, "not a valid network"),
        ({"purge_networks": ('10.0.0.0/8"; "0.0.0.0',)}, "not a valid network"),
        ({"origins": ()}, "needs an origin"),
    ],
    ids=["weak", "quotes", "relative", "quoted-path", "word", "injected", "no-origin"],
)
def test_a_plan_that_contradicts_itself_is_refused(
    overrides: dict[str, Any], sentence: str
) -> None:
    """With what was wrong and what to do."""
    with pytest.raises(PolicyError, match=sentence):
        replace(PLAN, **overrides)


@pytest.mark.parametrize(
    "url",
    ["", "10.0.0.1", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u:p@a",
     "http://a:0", "http://a:99999", 'http://a"b', "http://a b", "http://-a", "http://[::1"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(url: str) -> None:
    """Before it is written between quotes."""
    with pytest.raises(PolicyError, match="is not a valid origin"):
        OriginServer.of(url)


def test_varnish_speaks_no_tls() -> None:
    """So an origin behind HTTPS can't be asked."""
    with pytest.raises(PolicyError, match="use http"):
        vcl_config.vcl(replace(PLAN, origins=(OriginServer.of("https://10.0.0.1"),)))


def test_a_director_is_one_of_two() -> None:
    """Others need more words."""
    assert "directors.fallback()" in vcl_config.vcl(PLAN, director="fallback")
    with pytest.raises(PolicyError, match="is not a known director"):
        vcl_config.vcl(PLAN, director="random")
