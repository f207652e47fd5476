"""Decorators that set the policy and the declared inputs of views and blueprints.

A decorator sets an attribute and does not wrap the view, so the order of decorators does not
matter and every route's policy can be listed. Several policies of one view combine to the stricter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from ..http.cache_control import Directives
from .languages import check_languages, merge_languages
from .policy import Freshness, Policy, PolicyError, field_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RegistersViews(Protocol):
    """A blueprint, of which only the method that registers a view is used here."""

    @property
    def add_url_rule(self) -> Callable[..., Any]:
        """Register a view."""


View = TypeVar("View", bound="Callable[..., Any] | RegistersViews")
_ATTRIBUTE = "__edge_mark__"
_DEPTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """A route's policy and the query parameters it declares.

    `reads` are tables that it reads without recording; None if it declares none. `languages` are
    those of its pages; the first is the default.
    """

    policy: Policy
    query: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None
    languages: tuple[str, ...] = ()

    def merge(self, other: RoutePolicy) -> RoutePolicy:
        """Return the stricter policy of both, with the parameters of both."""
        return RoutePolicy(
            policy=self.policy.merge(other.policy),
            query=tuple(sorted({*self.query, *other.query})),
            reads=_both(self.reads, other.reads),
            languages=merge_languages(self.languages, other.languages),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A decorator that sets the policy of a view, view class or blueprint and returns it."""

    mark: RoutePolicy

    def __call__(self, thing: View) -> View:
        """Set the policy; combine it with one that was set before."""
        own: Any = getattr(thing, "__dict__", {}).get(_ATTRIBUTE)
        setattr(
            thing, _ATTRIBUTE, own.merge(self.mark) if isinstance(own, RoutePolicy) else self.mark
        )
        return thing


#: What `default=` and `serve_as` accept: a policy, `cache_control(…)`, or directives.
Directed: TypeAlias = Policy | Marker | Mapping[str, Any] | str


def _both(one: tuple[str, ...] | None, two: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or two is None:
        return one if two is None else two
    return tuple(sorted({*one, *two}))


def cached(
    policy: Policy,
    *,
    query: Iterable[str] = (),
    headers: Iterable[str] = (),
    languages: Iterable[str] = (),
    reads: Iterable[str] | None = None,
) -> Marker:
    """Set the policy of a view, view class or blueprint, and declare its inputs.

    Args:
        policy: the policy.
        query: the query parameters that the page depends on.
        headers: the request headers that the page depends on.
        languages: the languages that the page is available in, such as ("en", "pt-BR"). The page
            depends on Accept-Language, in which the view reads the best of these languages. The
            first is the default.
        reads: the tables that the page reads without recording, such as through the driver's own
            cursor or another cache; any change of them purges the page. An empty tuple declares
            that it shows no table.
    """
    if not isinstance(policy, Policy):
        raise PolicyError(f"cached() takes a Policy, not {policy!r}: write @cached(POLICY).")
    parameters = _check_names(query, argument="query")
    tags = check_languages(languages)
    headers = (*_check_names(headers, argument="headers"), *(["Accept-Language"] if tags else []))
    vary = field_names(headers, argument="headers")
    if vary:
        policy = policy.with_vary(vary if isinstance(vary, tuple) else ())
    tables = None if reads is None else _check_names(reads, argument="reads")
    return Marker(mark=RoutePolicy(policy=policy, query=parameters, reads=tables, languages=tags))


def cache_control(  # noqa: PLR0913 - one argument a directive, as RFC 9111 lists them
    *,
    max_age: int | timedelta | None = None,
    s_maxage: int | timedelta | None = None,
    private: bool | str | Iterable[str] = False,
    public: bool = False,
    no_cache: bool | str | Iterable[str] = False,
    no_store: bool = False,
    no_transform: bool = False,
    must_revalidate: bool = False,
    proxy_revalidate: bool = False,
    must_understand: bool = False,
    immutable: bool = False,
    stale_while_revalidate: int | timedelta | None = None,
    stale_if_error: int | timedelta | None = None,
    query: Iterable[str] = (),
    headers: Iterable[str] = (),
    languages: Iterable[str] = (),
) -> Marker:
    """Set the directives of a view or blueprint, named as in RFC 9111, 5861 and 8246.

    Numbers are seconds. The directives are written unchanged into Cache-Control, in every dialect.
    """
    no_cache_fields = field_names(no_cache, argument="no_cache")
    browser = Freshness(
        ttl=_to_timedelta(max_age) or timedelta(),
        stale_while_revalidate=_to_timedelta(stale_while_revalidate),
        stale_if_error=_to_timedelta(stale_if_error),
        must_revalidate=must_revalidate,
        no_cache=no_cache_fields,
    )
    edge = None
    if s_maxage is not None or proxy_revalidate:
        ttl = _to_timedelta(s_maxage)
        edge = Freshness(
            ttl=browser.ttl if ttl is None else ttl,
            must_revalidate=must_revalidate or proxy_revalidate,
            no_cache=no_cache_fields,
        )
    if no_store and edge is not None and not edge.ttl:
        browser, edge = replace(browser, must_revalidate=edge.must_revalidate), None
    policy = Policy(
        name="cache_control",
        browser=browser,
        edge=edge,
        private=field_names(private, argument="private"),
        public=public,
        no_store=no_store,
        immutable=immutable,
        no_transform=no_transform,
        must_understand=must_understand,
        literal=True,
    )
    return cached(policy, query=query, headers=headers, languages=languages)


def find_route_policy(thing: object) -> RoutePolicy | None:
    """Return the policy of a view, view class or blueprint, also through other decorators.

    For a class, the policy of its `get` method counts, too.
    """
    route_policy: RoutePolicy | None = None
    for layer in _unwrap(thing):
        mark = getattr(layer, _ATTRIBUTE, None)
        if isinstance(mark, RoutePolicy) and mark != route_policy:
            route_policy = mark if route_policy is None else route_policy.merge(mark)
    return route_policy


def policy_from(directed: Directed, *, argument: str) -> Policy:
    """Convert an argument to a policy: a policy, `cache_control(…)`, or directives.

    Directives are a mapping such as `{"max_age": 300}` or the text of a Cache-Control header.
    Raises PolicyError with the argument's name for anything else.
    """
    if isinstance(directed, Policy):
        return directed
    if isinstance(directed, Marker):
        if directed.mark.query:
            raise PolicyError(f"{argument}: query parameters are declared on views, not here.")
        if directed.mark.languages:
            raise PolicyError(f"{argument}: languages are declared on views, not here.")
        return directed.mark.policy
    if isinstance(directed, str):
        directed = Directives.parse([directed]) or {directed: True}
    if not isinstance(directed, Mapping):
        raise PolicyError(
            f"{argument} takes a Policy, cache_control(…) or directives such as "
            f"{{'max_age': 60}}, not {directed!r}."
        )
    return _policy_from_directives(directed, argument)


def _policy_from_directives(directives: Mapping[str, Any], argument: str) -> Policy:
    is_parsed = isinstance(directives, Directives)
    values = {str(name).replace("-", "_"): value for name, value in directives.items()}
    allowed = set(inspect.signature(cache_control).parameters) - {"query", "headers", "languages"}
    for name, value in values.items():
        if name not in allowed:
            raise PolicyError(f"{argument}: {name!r} is not a Cache-Control directive.")
        if is_parsed:
            values[name] = _parsed_value(value)
    return cache_control(**values).mark.policy


def _parsed_value(value: str | None) -> Any:
    """Convert a directive's value for `cache_control`, which rejects a malformed number."""
    if value is None:
        return True
    return int(value) if value.isascii() and value.isdigit() else value


def _unwrap(thing: object) -> Iterator[object]:
    """Yield a callable and what it wraps, along `__wrapped__` and `partial.func`."""
    for _ in range(_DEPTH):
        yield thing
        view_class = getattr(thing, "view_class", None)
        if view_class is not None:
            yield view_class
            yield getattr(view_class, "get", None)
        thing = getattr(thing, "__wrapped__", None) or getattr(thing, "func", None)
        if thing is None:
            return


def _to_timedelta(seconds: int | timedelta | None) -> timedelta | None:
    if seconds is None or isinstance(seconds, timedelta):
        return seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise PolicyError(f"{seconds!r} is not a number of seconds.")
    return timedelta(seconds=seconds)


def _check_names(names: Iterable[str], *, argument: str) -> tuple[str, ...]:
    if isinstance(names, str):
        raise PolicyError(f"{argument} takes a tuple of names: write {argument}=({names!r},).")
    return tuple(sorted(set(names)))
