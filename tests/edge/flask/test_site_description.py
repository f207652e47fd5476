"""The site description has the same policy for each URL as the app."""

from __future__ import annotations

import re
from datetime import timedelta
from fnmatch import fnmatchcase

import pytest
from flask import Flask
from werkzeug.routing import BaseConverter

from app.edge import NO_STORE, Freshness, Policy, PolicyError, cached
from app.edge.cdn.site_description import RouteRule
from app.edge.flask import Edge
from app.edge.flask.site_description import describe_site, drop_covered_rules, list_route_rules

PUBLIC = Policy(name="PUBLIC", browser=Freshness(ttl=timedelta(minutes=1)))
LISTED = Policy(name="LISTED", browser=Freshness(ttl=timedelta(minutes=2)))
MINE = Policy(name="MINE", private=True)


def build_app(default: Policy | None = None) -> Flask:
    """An app whose routes overlap in every way."""
    app = Flask(__name__, static_folder=None)
    Edge().init_app(app, default=default)

    def add(rule: str, policy: Policy | None, query: tuple[str, ...] = (), **more: object) -> None:
        def view(**_: object) -> str:
            return policy.name if policy else "default"

        marked = view if policy is None else cached(policy, query=query)(view)
        app.add_url_rule(rule, rule, marked, **more)  # type: ignore[arg-type] # methods

    add("/", PUBLIC)
    add("/<name>", PUBLIC)
    add("/me", MINE)
    add("/files/<path:name>", PUBLIC)
    add("/files/<path:name>/edit", NO_STORE)
    add("/files/<name>", LISTED, ("page",))
    add("/files/<int:n>.txt", NO_STORE)
    add("/a.b/<string(length=2):code>", LISTED)
    add("/plain", None)
    add("/send", PUBLIC, methods=["POST"])
    return app


def first(listed: list[RouteRule], path: str) -> RouteRule | None:
    """Return the first rule that matches a path."""
    return next((rule for rule in listed if re.search(rule.pattern, path)), None)


PATHS = [
    "/", "/about", "/me", "/files/a", "/files/a/b", "/files/a/b/edit", "/files/7.txt",
    "/files/x.txt", "/a.b/de", "/plain", "/files/a/edit",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_an_edge_finds_the_policy_that_the_app_finds(path: str) -> None:
    """The first matching rule is the one that the app chooses."""
    app = build_app()
    rule = first(list_route_rules(app), path)
    endpoint = app.test_client().get(path).text
    assert rule is not None
    assert rule.policy == endpoint.replace("default", "NO_STORE")
    assert fnmatchcase(path, rule.wildcard)


@pytest.mark.parametrize("path", ["/a/b", "/a.b/deu", "/aXb/de", "/send/x", "/files/"])
def test_an_edge_finds_nothing_where_the_app_does(path: str) -> None:
    """Dots and lengths in rules are matched exactly."""
    assert first(list_route_rules(build_app()), path) is None


class AnyScript(BaseConverter):
    """Words of any script."""

    regex = r"[\u0080-\U0010ffff]+"


class Encoded(AnyScript):
    """The same, as edges see them."""

    edge_regex = r"(?:\x25[0-9A-F]{2})+"


@pytest.mark.parametrize(
    ("converter", "pattern"),
    [(AnyScript, "^/w/(?:[^/]+)$"), (Encoded, r"^/w/(?:(?:\x25[0-9A-F]{2})+)$")],
)
def test_an_expression_of_other_scripts_is_written_for_edges(
    converter: type[BaseConverter], pattern: str
) -> None:
    """No edge knows escapes of Unicode characters; nginx and Varnish would not start."""
    app = Flask(__name__, static_folder=None)
    app.url_map.converters["script"] = converter
    Edge().init_app(app)
    app.add_url_rule("/w/<script:word>", "show", cached(PUBLIC)(lambda word: word))
    (rule,) = list_route_rules(app)
    assert rule.pattern == pattern


def test_parameters_are_declared_or_unknown() -> None:
    """A default declares no parameters, so all of them count."""
    params_by_rule = {
        rule.url_rule: (rule.is_shared, rule.query_params)
        for rule in list_route_rules(build_app(default=PUBLIC))
    }
    assert params_by_rule["/files/<name>"] == (True, ("page",))
    assert params_by_rule["/<name>"] == (True, ())
    assert params_by_rule["/plain"] == (True, None)
    assert params_by_rule["/me"] == (False, None)
    assert "/send" not in params_by_rule


def test_a_plan_needs_the_sites_address() -> None:
    """An app without tracking does not have it."""
    with pytest.raises(PolicyError, match="pass --site"):
        describe_site(build_app(), origins=["http://10.0.0.1"])
    site_description = describe_site(
        build_app(), origins=["http://10.0.0.1"], site="https://example.org"
    )
    assert site_description.site.authority == "example.org"


ROUTES = {
    "/desk": NO_STORE,
    "/desk/a": NO_STORE,
    "/desk/a/<name>": MINE,
    "/desk/<path:rest>": NO_STORE,
    "/mixed/a": NO_STORE,
    "/mixed/<name>": PUBLIC,
    "/mixed/<path:rest>": NO_STORE,
    "/number/a": NO_STORE,
    "/number/<int:n>": NO_STORE,
    "/<first>/a": PUBLIC,
    "/<name>": PUBLIC,
}


def test_private_routes_below_a_private_prefix_need_one_rule() -> None:
    """CDNs limit the number of rules; a shared route between the two keeps both."""
    app = Flask(__name__, static_folder=None)
    Edge().init_app(app)
    for rule, policy in ROUTES.items():
        view = cached(policy)(lambda **_: "")
        app.add_url_rule(rule, rule, view)
    listed = list_route_rules(app)
    remaining = drop_covered_rules(listed)
    dropped_rules = {rule.url_rule for rule in listed} - {rule.url_rule for rule in remaining}
    assert dropped_rules == {"/desk/a", "/desk/a/<name>"}
    paths = ("/desk", "/desk/a", "/desk/a/b", "/desk/a/b/c", "/mixed/a", "/mixed/b", "/number/a")
    for path in (*paths, "/x/a", "/x", "/number/7"):
        before, after = first(listed, path), first(remaining, path)
        assert before is not None
        assert after is not None
        assert (before.is_shared, path) == (after.is_shared, path)
