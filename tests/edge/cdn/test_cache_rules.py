"""Cache Rules: valid by the API's documentation, and correct for every route."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from app.edge.cdn.cloudflare.cache_rules import cache_rules, ruleset_json
from app.edge.cdn.cloudflare.terraform import terraform_hcl
from app.edge.cdn.site_description import OriginServer, RouteRule, SiteDescription
from app.edge.policy.policy import PolicyError


def rule(path: str, *, is_shared: bool = True, query: tuple[str, ...] | None = ()) -> RouteRule:
    """A route whose pattern does not matter here."""
    wildcard = re.sub("<[^>]*>", "*", path)
    return RouteRule(
        url_rule=path,
        pattern="^$",
        wildcard=wildcard,
        policy="ANY",
        is_shared=is_shared,
        query_params=query,
    )


PLAN = SiteDescription(
    site=OriginServer.of("https://Example.org"),
    origins=(OriginServer.of("http://10.0.0.1"),),
    rules=(
        rule("/"),
        rule("/search", query=("page", "q")),
        rule("/find", query=("q",)),
        rule("/me", is_shared=False, query=None),
        rule("/studio/login"),
        rule("/list/<name>", query=None),
        rule("/studio/<path:any>", is_shared=False, query=None),
        rule("/<name>"),
    ),
)

ACTIONS = {"normalize", "passthrough", "bypass"}
MODES = {"respect_origin", "bypass_by_default"}
SCHEMA: dict[str, Any] = {
    "cache": bool,
    "edge_ttl": {"mode": MODES},
    "browser_ttl": {"mode": MODES},
    "serve_stale": {"disable_stale_while_updating": bool},
    "respect_strong_etags": bool,
    "vary": {"default": {"action": ACTIONS}, "headers": {"accept-language": {"action": ACTIONS}}},
    "cache_key": {
        "ignore_query_strings_order": bool,
        "custom_key": {"query_string": {"include": {"list": list}, "exclude": {"all": bool}}},
    },
}
"""The parameters of `set_cache_settings` that we use, after Cloudflare's reference; no `default`."""


def fits(value: Any, schema: Any) -> bool:
    """Return whether the reference allows a value."""
    if isinstance(schema, dict):
        has_known_keys = isinstance(value, dict) and value.keys() <= schema.keys()
        return has_known_keys and all(fits(each, schema[name]) for name, each in value.items())
    return value in schema if isinstance(schema, set) else isinstance(value, schema)


@pytest.mark.parametrize("enterprise", [False, True], ids=["any-plan", "enterprise"])
def test_rules_are_what_the_reference_allows(*, enterprise: bool) -> None:
    """No rule has an unknown name or its own lifetime."""
    listed = json.loads(ruleset_json(PLAN, enterprise=enterprise))["rules"]
    for one in listed:
        assert one.keys() == {
            "ref", "description", "expression", "action", "action_parameters", "enabled",
        }  # fmt: skip
        assert one["action"] == "set_cache_settings"
        assert fits(one["action_parameters"], SCHEMA)
        assert len(one["expression"]) <= 4096
    assert len({one["ref"] for one in listed}) == len(listed) <= 10


def test_variants_are_kept_apart_by_the_fields_of_edge_vary() -> None:
    """By no others: a page that varies on another field bypasses the cache."""
    assert not any("vary" in one["action_parameters"] for one in cache_rules(PLAN))
    for one in cache_rules(replace(PLAN, vary=("Accept-Language",))):
        parameters = one["action_parameters"]
        assert fits(parameters, SCHEMA)
        if parameters["cache"]:
            assert parameters["vary"]["default"] == {"action": "bypass"}
            assert parameters["vary"]["headers"] == {"accept-language": {"action": "passthrough"}}


TEST = re.compile(r'http\.request\.uri\.(path|query) (?:in \{([^}]*)\}|wildcard "([^"]*)")')


def holds(expression: str, host: str, target: str) -> bool:
    """Evaluate an expression of the subset that the rules use."""
    path, _, query = target.partition("?")

    def test(match: re.Match[str]) -> str:
        value = path if match[1] == "path" else query
        if match[3] is not None:
            return str(fnmatchcase(value.lower(), match[3].lower()))
        return str(value in re.findall(r'"([^"]*)"', match[2]))

    words = TEST.sub(test, expression)
    words = re.sub(r'http\.host eq "([^"]*)"', lambda match: str(match[1] == host), words)
    assert re.fullmatch(r"(True|False|and|or|not|[() ])+", words), words
    return bool(eval(words))


def settings(host: str, path: str, *, enterprise: bool = False) -> dict[str, Any]:
    """Return the parameters for a request; a later matching rule takes precedence."""
    parameters: dict[str, Any] = {}
    for one in cache_rules(PLAN, enterprise=enterprise):
        if holds(one["expression"], host, path):
            parameters |= one["action_parameters"]
    return parameters


def key(path: str, *, enterprise: bool = False) -> Any:
    """Return which part of the query string belongs to the cache key of a path."""
    return settings("example.org", path, enterprise=enterprise)["cache_key"]


@pytest.mark.parametrize(
    ("path", "is_cached"),
    [
        ("/", True),
        ("/about", True),
        ("/search", True),
        ("/unknown/deep", True),
        ("/me", False),
        ("/ME", True),
        ("/studio/posts/1", False),
        ("/Studio/posts", False),
        ("/studio/login", True),
    ],
)
def test_a_private_route_passes_and_others_are_as_the_origin_says(
    path: str, *, is_cached: bool
) -> None:
    """This includes a public route that a private wildcard matches too."""
    parameters = settings("example.org", path)
    assert parameters["cache"] is is_cached
    assert parameters["edge_ttl"] == {"mode": "bypass_by_default"}


def test_another_host_of_the_zone_is_left_alone() -> None:
    """The rules apply only to the host of the site."""
    assert settings("shop.example.org", "/") == {}


def test_only_parameters_that_are_read_count() -> None:
    """By name where the plan allows it, otherwise the whole string of those routes."""
    none = {"custom_key": {"query_string": {"exclude": {"all": True}}}}
    assert key("/") == key("/about") == key("/", enterprise=True) == none
    for path in ("/search?q=a", "/search?x=1&page=2", "/list/a", "/list/a?x=1"):
        assert key(path) == {"ignore_query_strings_order": True}
    assert key("/list/a", enterprise=True) == {"ignore_query_strings_order": True}
    query_string = key("/search?q=a", enterprise=True)["custom_key"]["query_string"]
    assert query_string == {"include": {"list": ["page", "q"]}}


@pytest.mark.parametrize("enterprise", [False, True], ids=["any-plan", "enterprise"])
@pytest.mark.parametrize("target", ["/search", "/search?utm_source=q", "/search?q2=1&xq=1"])
def test_a_query_without_a_declared_parameter_gets_the_page_without_one(
    target: str, *, enterprise: bool
) -> None:
    """On every plan: the address of a newsletter is no page of its own."""
    none = {"custom_key": {"query_string": {"exclude": {"all": True}}}}
    assert key(target, enterprise=enterprise) == none


def test_an_expression_that_is_too_long_is_refused() -> None:
    """Cloudflare would refuse it too, less clearly."""
    many = tuple(rule(f"/{n:0100}/<name>", is_shared=False) for n in range(40))
    with pytest.raises(PolicyError, match="4096 characters"):
        cache_rules(replace(PLAN, rules=many))


def test_terraform_says_the_same() -> None:
    """The file's own values, read back, are the rules."""
    rules = cache_rules(PLAN, enterprise=True)
    text = terraform_hcl(rules)
    listed = text[text.index("rules   = ") + len("rules   = ") : text.rindex("}")]
    as_json = re.sub(r"^(\s*)(\w+)\s+= ", r'\1"\2": ', listed, flags=re.MULTILINE)
    as_json = re.sub(r'([\]}"el])\n(\s*")', r"\1,\n\2", as_json)
    as_json = re.sub(r",(\s*[\]}])", r"\1", as_json)
    assert json.loads(as_json) == rules


def test_terraform_reads_no_template_in_a_string() -> None:
    """A `${` in a route is doubled, as HCL requires."""
    assert '"a$${b}%%{c}"' in terraform_hcl([{"ref": "a${b}%{c}"}])
