"""Marks of views and blueprints: what they declare, and how several of them combine."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import pytest

from app.edge import NO_STORE, Freshness, Policy, PolicyError, cache_control, cached
from app.edge.policy.decorators import Marker, RoutePolicy, find_route_policy, policy_from

PAGE = Policy(name="PAGE", browser=Freshness(ttl=timedelta(minutes=5)))
SHORT = Policy(name="SHORT", browser=Freshness(ttl=timedelta(minutes=1)), private=("Set-Cookie",))


def view() -> str:
    """Return a page."""
    return "page"


def fresh_view() -> Any:
    """Return a new view function without a mark."""
    return functools.partial(view)


def route_policy_of(*markers: Marker) -> RoutePolicy:
    """Return the route policy of a view with these decorators."""
    function = fresh_view()
    for marker in markers:
        function = marker(function)
    route_policy = find_route_policy(function)
    assert route_policy is not None
    return route_policy


def test_two_marks_of_one_view_add_up() -> None:
    """The stricter policy applies, with the query, headers and tables of both, in either order."""
    one = cached(PAGE, query=("page", "q"), headers=("Accept",), reads=("posts",))
    two = cached(SHORT, query=("q", "sort"), headers=("DNT",), reads=("tags", "posts"))
    both = RoutePolicy(
        policy=PAGE.merge(SHORT).with_vary(("Accept", "Dnt")),
        query=("page", "q", "sort"),
        reads=("posts", "tags"),
    )
    assert route_policy_of(one, two) == route_policy_of(two, one) == both
    assert route_policy_of(one, two, one) == both


READS: dict[str, tuple[Any, Any, Any]] = {
    "neither declares tables": (None, None, None),
    "one declares tables": (("b", "a"), None, ("a", "b")),
    "one declares that it shows none": ((), None, ()),
    "both declare that they show none": ((), (), ()),
    "both declare tables": (("b",), ("a", "b"), ("a", "b")),
    "one shows none": ((), ("a",), ("a",)),
}


@pytest.mark.parametrize(("one", "two", "both"), READS.values(), ids=READS)
def test_tables_that_are_not_recorded_add_up(one: Any, two: Any, both: Any) -> None:
    """`None` means that a mark declares nothing, so it removes no table of the other."""
    assert route_policy_of(cached(PAGE, reads=one), cached(PAGE, reads=two)).reads == both
    assert route_policy_of(cached(PAGE, reads=two), cached(PAGE, reads=one)).reads == both


def test_a_mark_is_found_through_other_decorators() -> None:
    """Marks inside and outside of a wrapper combine."""

    @cached(PAGE, query=("q",))
    def page() -> str:
        return "page"

    @cached(SHORT, query=("p",))
    @functools.wraps(page)
    def wrapper() -> str:
        return page()

    route_policy = find_route_policy(functools.partial(wrapper))
    assert route_policy == RoutePolicy(policy=PAGE.merge(SHORT), query=("p", "q"))


def test_a_class_and_its_get_method_combine() -> None:
    """The class is found through the view function that Flask makes of it."""

    @cached(PAGE)
    class Show:
        @cached(SHORT)
        def get(self) -> str:
            return "page"

    def as_view() -> str:
        return "page"

    as_view.view_class = Show  # type: ignore[attr-defined] # as Flask does
    route_policy = find_route_policy(as_view)
    assert route_policy is not None
    assert route_policy.policy == PAGE.merge(SHORT)


def test_a_mark_is_not_inherited_by_another_object() -> None:
    """A decorator replaces nothing on the class of the object that it marks."""

    @cached(PAGE)
    class Base:
        pass

    @cached(SHORT)
    class Child(Base):
        pass

    base, child = find_route_policy(Base), find_route_policy(Child)
    assert base is not None
    assert child is not None
    assert (base.policy, child.policy) == (PAGE, SHORT)


def test_a_view_without_a_mark_has_no_policy() -> None:
    """An attribute of another type is no mark."""
    function = fresh_view()
    assert find_route_policy(function) is None
    function.__edge_mark__ = "x"
    assert find_route_policy(function) is None


ARGUMENTS: dict[str, tuple[dict[str, Any], Policy]] = {
    "nothing": ({}, Policy(name="cache_control", literal=True)),
    "must-revalidate with s-maxage holds at the edge": (
        {"max_age": 5, "s_maxage": 60, "must_revalidate": True},
        Policy(
            name="cache_control",
            literal=True,
            browser=Freshness(ttl=timedelta(seconds=5), must_revalidate=True),
            edge=Freshness(ttl=timedelta(seconds=60), must_revalidate=True),
        ),
    ),
    "proxy-revalidate holds at the edge alone": (
        {"max_age": 5, "proxy_revalidate": True, "stale_if_error": 7, "no_cache": "X-A"},
        Policy(
            name="cache_control",
            literal=True,
            browser=Freshness(
                ttl=timedelta(seconds=5), stale_if_error=timedelta(seconds=7), no_cache=("X-A",)
            ),
            edge=Freshness(ttl=timedelta(seconds=5), must_revalidate=True, no_cache=("X-A",)),
        ),
    ),
    "s-maxage=0 is a lifetime": (
        {"max_age": 5, "s_maxage": 0},
        Policy(
            name="cache_control",
            literal=True,
            browser=Freshness(ttl=timedelta(seconds=5)),
            edge=Freshness(),
        ),
    ),
    "no-store with s-maxage=0": (
        {"no_store": True, "s_maxage": 0},
        Policy(name="cache_control", literal=True, no_store=True),
    ),
    "no-store with proxy-revalidate": (
        {"no_store": True, "proxy_revalidate": True},
        Policy(
            name="cache_control",
            literal=True,
            no_store=True,
            browser=Freshness(must_revalidate=True),
        ),
    ),
}


@pytest.mark.parametrize(("arguments", "result"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_directives_become_a_policy(arguments: dict[str, Any], result: Policy) -> None:
    """Each directive applies to the audience that obeys it."""
    assert route_policy_of(cache_control(**arguments)).policy == result


def test_directives_declare_query_and_headers() -> None:
    """As `cached` does."""
    assert route_policy_of(
        cache_control(max_age=5, query=("b", "a"), headers=("DNT",))
    ) == RoutePolicy(
        policy=Policy(
            name="cache_control",
            literal=True,
            browser=Freshness(ttl=timedelta(seconds=5)),
            vary=("Dnt",),
        ),
        query=("a", "b"),
    )


WRONG: dict[str, tuple[Any, str]] = {
    "no-store with a lifetime at the edge": (
        lambda: cache_control(no_store=True, s_maxage=5),
        "no_store stores nothing",
    ),
    "a bool is no number": (lambda: cache_control(max_age=True), "True is not a number of seconds"),
    "a text is no number": (
        lambda: cache_control(s_maxage="5"),  # type: ignore[arg-type]
        "'5' is not a number of seconds",
    ),
    "a wrong field name": (lambda: cache_control(private="a b"), "private contains 'a b'"),
    "a wrong name in no-cache": (lambda: cache_control(no_cache="a b"), "no_cache contains 'a b'"),
    "no policy": (lambda: cached("PAGE"), "takes a Policy, not 'PAGE'"),  # type: ignore[arg-type]
    "a text of parameters": (lambda: cached(PAGE, query="q"), r"write query=\('q',\)"),
    "a text of headers": (lambda: cached(PAGE, headers="A"), r"write headers=\('A',\)"),
    "a text of tables": (lambda: cached(PAGE, reads="posts"), r"write reads=\('posts',\)"),
    "a wrong header": (lambda: cached(PAGE, headers=("a b",)), "headers contains 'a b'"),
}


@pytest.mark.parametrize(("make", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_refused_by_name(make: Any, reason: str) -> None:
    """When the view is decorated, not at the first request."""
    with pytest.raises(PolicyError, match=reason):
        make()


MINUTE = route_policy_of(cache_control(max_age=60)).policy
DIRECTED: dict[str, tuple[Any, Policy]] = {
    "a policy": (PAGE, PAGE),
    "cache_control": (cache_control(max_age=60), MINUTE),
    "a mapping": ({"max_age": 60}, MINUTE),
    "a mapping with the names of the header": ({"max-age": 60}, MINUTE),
    "a mapping with a duration": ({"max_age": timedelta(minutes=1)}, MINUTE),
    "a header": ("max-age=60", MINUTE),
    "a header with a flag": ("no-store", route_policy_of(cache_control(no_store=True)).policy),
    "a header with fields": (
        'max-age=60, private="Set-Cookie"',
        route_policy_of(cache_control(max_age=60, private="Set-Cookie")).policy,
    ),
}


@pytest.mark.parametrize(("value", "result"), DIRECTED.values(), ids=DIRECTED)
def test_a_policy_is_written_in_four_ways(value: Any, result: Policy) -> None:
    """As a value, a mark, a mapping or the text of a header."""
    assert policy_from(value, argument="default") == result


NOT_DIRECTED: dict[str, tuple[Any, str]] = {
    "a mark with parameters": (cached(PAGE, query=("q",)), "default: query parameters"),
    "a number": (60, "default takes a Policy"),
    "nothing": (None, "default takes a Policy"),
    "an unknown directive": ({"max_stale": 5}, "default: 'max_stale' is not a Cache-Control"),
    "parameters in a mapping": ({"query": ("q",)}, "default: 'query' is not a Cache-Control"),
    "headers in a mapping": ({"headers": ("A",)}, "default: 'headers' is not a Cache-Control"),
    "an unknown directive in a header": ("immortal", "default: 'immortal' is not a Cache-Control"),
    "a text that is no header": ("?", r"default: '\?' is not a Cache-Control"),
    "a lifetime that is no number": ("max-age=x", "'x' is not a number of seconds"),
    "a lifetime in other digits": ("max-age=²", "'²' is not a number of seconds"),
    "a lifetime without a number": ("max-age", "True is not a number of seconds"),
}


@pytest.mark.parametrize(("value", "reason"), NOT_DIRECTED.values(), ids=NOT_DIRECTED)
def test_anything_else_is_refused_with_the_name_of_the_argument(value: Any, reason: str) -> None:
    """A wrong default would apply to every page."""
    with pytest.raises(PolicyError, match=reason):
        policy_from(value, argument="default")


def test_no_store_wins_over_every_other_mark() -> None:
    """In either order."""
    assert route_policy_of(cached(PAGE), cached(NO_STORE)).policy.no_store
    assert route_policy_of(cached(NO_STORE), cached(PAGE)).policy.no_store
