"""What a response says by hand, laid over the policy of its route.

What a view wrote wins over the mark, but it can't open what a mark has closed: `no_store` and
`private` stay. Pure: no clock, no framework.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .policy import NEVER, NO_STORE, Freshness, Policy

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from .http.cache_control import Directives

_NUMBERS = frozenset({"max-age", "s-maxage"})
_SPEAKS = frozenset({"max-age", "s-maxage", "no-cache", "private", "public", "immutable"})


def overlaid(base: Policy | None, said: Directives) -> Policy:
    """Return the policy that holds for a response whose Cache-Control already says `said`.

    Without a base and without a word on storing the answer is NO_STORE.
    """
    never = "no-store" in said and "must-understand" not in said
    if base is None:
        if not never and not _SPEAKS.intersection(said):
            return NO_STORE
        base = NO_STORE if never else Policy(name="response", literal=True)
    if base.no_store or never:
        return _never(base, said)
    return _laid(base, said) if said else base


def with_expires(said: Directives, expires: str | None, now: datetime) -> Directives:
    """Read a hand-written Expires as the `max-age` it means; one that is no date has passed."""
    if expires is None or "max-age" in said or "no-store" in said:
        return said
    return said.with_(max_age=max(_until(expires, now), NEVER))


def _until(expires: str, now: datetime) -> timedelta:
    try:
        at = parsedate_to_datetime(expires)
    except (TypeError, ValueError):
        return NEVER
    return at - now if at.tzinfo else NEVER


def _never(base: Policy, said: Directives) -> Policy:
    """Return a policy of `no-store` with the `no-cache` and the like that the response adds."""
    closed = base if base.no_store else replace(NO_STORE, name=base.name)
    no_cache = said.whole("no-cache") or _union(closed.browser.no_cache, said.fields("no-cache"))
    must = closed.browser.must_revalidate or "must-revalidate" in said
    return replace(
        closed,
        browser=Freshness(no_cache=no_cache, must_revalidate=must),
        private=said.whole("private") or _union(closed.private, said.fields("private")),
        no_transform=closed.no_transform or "no-transform" in said,
    )


def _laid(base: Policy, said: Directives) -> Policy:
    private = (
        base.private is True
        or said.whole("private")
        or _union(base.private, said.fields("private"))
    )
    browser = _browser(base.browser, said)
    edge = None if private is True else _edge(base, said, browser)
    return replace(
        base,
        browser=browser,
        edge=edge,
        private=private,
        public=private is not True and (base.public or "public" in said),
        immutable=bool(browser.ttl) and (base.immutable or "immutable" in said),
        no_transform=base.no_transform or "no-transform" in said,
        must_understand=base.must_understand or "must-understand" in said,
        # A number written by hand is a promise of time, whatever the mark would have had purged.
        timed=base.timed or not _NUMBERS.isdisjoint(said),
        literal=base.literal or "s-maxage" in said or (base.edge is None and edge is not None),
    )


def _browser(base: Freshness, said: Directives) -> Freshness:
    ttl = said.seconds("max-age")
    return _restricted(base, said, ttl=base.ttl if ttl is None else ttl, shared=False)


def _edge(base: Policy, said: Directives, browser: Freshness) -> Freshness | None:
    shared = said.seconds("s-maxage")
    if shared is not None:
        return _restricted(base.edge or Freshness(), said, ttl=shared)
    if base.edge is None:
        if "proxy-revalidate" not in said:
            return None
        return _restricted(Freshness(no_cache=browser.no_cache), said, ttl=browser.ttl)
    if "max-age" not in said:
        return _restricted(base.edge, said, ttl=base.edge.ttl)
    # A max-age speaks to every cache: the edge keeps no longer, and serves stale only if told to.
    stricter = replace(base.edge, stale_while_revalidate=None, stale_if_error=None)
    return _restricted(stricter, said, ttl=min(base.edge.ttl, browser.ttl))


def _restricted(
    base: Freshness, said: Directives, *, ttl: timedelta, shared: bool = True
) -> Freshness:
    no_cache = said.whole("no-cache") or _union(base.no_cache, said.fields("no-cache"))
    must = base.must_revalidate or "must-revalidate" in said
    must = must or (shared and "proxy-revalidate" in said)
    strict = must or no_cache is True
    swr = said.seconds("stale-while-revalidate")
    sie = said.seconds("stale-if-error")
    return Freshness(
        ttl=NEVER if no_cache is True else ttl,
        stale_while_revalidate=None if strict else swr or base.stale_while_revalidate,
        stale_if_error=None if strict else sie or base.stale_if_error,
        must_revalidate=must,
        no_cache=no_cache,
    )


def _union(
    one: bool | tuple[str, ...],  # noqa: FBT001 - True means all of the response
    two: frozenset[str],
) -> bool | tuple[str, ...]:
    return True if one is True else (*(one or ()), *two) or False
