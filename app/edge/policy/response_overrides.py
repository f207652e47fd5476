"""Apply directives that a view has set on a response to the policy of its route.

They take precedence over the route's policy, but can't make a `no_store` or `private` policy
shareable. Pure: no clock, no framework.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .policy import NO_STORE, ZERO, Freshness, Policy

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ..http.cache_control import Directives

_LIFETIME_DIRECTIVES = frozenset({"max-age", "s-maxage"})
_STORING_DIRECTIVES = frozenset(
    {"max-age", "s-maxage", "no-cache", "private", "public", "immutable"}
)


def apply_overrides(base: Policy | None, directives: Directives) -> Policy:
    """Return the policy of a response with these directives in Cache-Control.

    Without a base policy and without a directive on storing, the result is NO_STORE.
    """
    is_no_store = "no-store" in directives and "must-understand" not in directives
    if base is None:
        if not is_no_store and not _STORING_DIRECTIVES.intersection(directives):
            return NO_STORE
        base = NO_STORE if is_no_store else Policy(name="response", literal=True)
    if base.no_store or is_no_store:
        return _no_store_policy(base, directives)
    return _merge(base, directives) if directives else base


def max_age_from_expires(directives: Directives, expires: str | None, now: datetime) -> Directives:
    """Convert an Expires header to the equivalent `max-age`; an invalid date is in the past."""
    if expires is None or "max-age" in directives or "no-store" in directives:
        return directives
    return directives.replace(max_age=max(_time_until(expires, now), ZERO))


def _time_until(expires: str, now: datetime) -> timedelta:
    try:
        at = parsedate_to_datetime(expires)
    except (TypeError, ValueError):
        return ZERO
    return at - now if at.tzinfo else ZERO


def _no_store_policy(base: Policy, directives: Directives) -> Policy:
    """Return a `no-store` policy with the restrictive directives that the response adds."""
    no_store_policy = base if base.no_store else _without_storing(base)
    no_cache = directives.is_unqualified("no-cache") or _union(
        no_store_policy.browser.no_cache, directives.fields("no-cache")
    )
    must = no_store_policy.browser.must_revalidate or "must-revalidate" in directives
    return replace(
        no_store_policy,
        browser=Freshness(no_cache=no_cache, must_revalidate=must),
        private=directives.is_unqualified("private")
        or _union(no_store_policy.private, directives.fields("private")),
        no_transform=no_store_policy.no_transform or "no-transform" in directives,
    )


def _without_storing(base: Policy) -> Policy:
    """Return a `no-store` policy with the restrictions of `base` that also hold without storing."""
    return replace(
        NO_STORE,
        name=base.name,
        private=base.private,
        no_transform=base.no_transform,
        vary=base.vary,
    )


def _merge(base: Policy, directives: Directives) -> Policy:
    private = (
        base.private is True
        or directives.is_unqualified("private")
        or _union(base.private, directives.fields("private"))
    )
    browser = _browser_freshness(base.browser, directives)
    edge = None if private is True else _edge_freshness(base, directives, browser)
    return replace(
        base,
        browser=browser,
        edge=edge,
        private=private,
        public=private is not True and (base.public or "public" in directives),
        immutable=bool(browser.ttl)
        and base.until is None
        and (base.immutable or "immutable" in directives),
        no_transform=base.no_transform or "no-transform" in directives,
        must_understand=base.must_understand or "must-understand" in directives,
        # A lifetime set by the view is a limit in time, even if the route relies on purging.
        timed=base.timed or not _LIFETIME_DIRECTIVES.isdisjoint(directives),
        literal=base.literal
        or "s-maxage" in directives
        or (base.edge is None and edge is not None),
    )


def _browser_freshness(base: Freshness, directives: Directives) -> Freshness:
    ttl = directives.seconds("max-age")
    return _override_freshness(
        base, directives, ttl=base.ttl if ttl is None else ttl, is_shared_cache=False
    )


def _edge_freshness(base: Policy, directives: Directives, browser: Freshness) -> Freshness | None:
    s_maxage = directives.seconds("s-maxage")
    if s_maxage is not None:
        return _override_freshness(base.edge or Freshness(), directives, ttl=s_maxage)
    if base.edge is None:
        if "proxy-revalidate" not in directives:
            return None
        return _override_freshness(
            Freshness(no_cache=browser.no_cache), directives, ttl=browser.ttl
        )
    if "max-age" not in directives:
        return _override_freshness(base.edge, directives, ttl=base.edge.ttl)
    # max-age applies to every cache: the edge stores no longer, and serves stale only if set here.
    stricter = replace(base.edge, stale_while_revalidate=None, stale_if_error=None)
    return _override_freshness(stricter, directives, ttl=min(base.edge.ttl, browser.ttl))


def _override_freshness(
    base: Freshness, directives: Directives, *, ttl: timedelta, is_shared_cache: bool = True
) -> Freshness:
    no_cache = directives.is_unqualified("no-cache") or _union(
        base.no_cache, directives.fields("no-cache")
    )
    must = base.must_revalidate or "must-revalidate" in directives
    must = must or (is_shared_cache and "proxy-revalidate" in directives)
    strict = must or no_cache is True
    swr = directives.seconds("stale-while-revalidate")
    sie = directives.seconds("stale-if-error")
    return Freshness(
        ttl=ZERO if no_cache is True else ttl,
        stale_while_revalidate=None if strict else swr or base.stale_while_revalidate,
        stale_if_error=None if strict else sie or base.stale_if_error,
        must_revalidate=must,
        no_cache=no_cache,
    )


def _union(
    one: bool | tuple[str, ...],  # noqa: FBT001 - True is the unqualified directive
    two: frozenset[str],
) -> bool | tuple[str, ...]:
    return True if one is True else (*(one or ()), *two) or False
