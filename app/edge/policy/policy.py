"""Policies: how long browser and edge may use a page, as values that can't contradict themselves.

This module formats no header and depends on no framework: see `cdn_headers` and the Flask adapter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..http.durations import format_duration
from .until import find_errors, sooner, time_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

ZERO = timedelta()
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIAL_HEADERS = frozenset({"Cookie", "Authorization"})


class PolicyError(ValueError):
    """A policy, argument or setting is invalid; the message gives the reason."""


class SettingError(PolicyError):
    """A setting is invalid. `template` has a `{}` for each setting and a `{name}` for each value.

    An app that reads its settings from environment variables uses `explain` to name them.
    """

    def __init__(self, template: str, *settings: str, **values: object) -> None:
        self.template, self.settings, self.values = template, settings, values
        super().__init__(self.explain(str))

    def explain(self, label: Callable[[str], str]) -> str:
        """Return the message; `label` returns how a setting is named in it."""
        return self.template.format(*map(label, self.settings), **self.values)


class AudienceTexts(NamedTuple):
    """A description of a policy, one phrase for each audience."""

    browser: str
    edge: str


def field_names(names: bool | str | Iterable[str], *, argument: str) -> bool | tuple[str, ...]:  # noqa: FBT001 - True is the unqualified directive
    """Normalise case and order of header field names; a bool is returned unchanged."""
    if isinstance(names, bool):
        return names
    raw_names = names.split(",") if isinstance(names, str) else list(names)
    for name in raw_names:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name.strip()):
            raise PolicyError(f"{argument} contains {name!r}, which is not a header field name.")
    return tuple(sorted({name.strip().title() for name in raw_names})) or False


def _check_duration(what: str, span: object) -> Iterator[str]:
    if span is None and what != "ttl":
        return
    if not isinstance(span, timedelta):
        yield f"{what} is {span!r}: write it as a timedelta."
    elif span < ZERO:
        yield f"{what} is {span.total_seconds():g} seconds: a duration can't be negative."


def _stricter(
    one: bool | tuple[str, ...],  # noqa: FBT001 - see field_names
    two: bool | tuple[str, ...],  # noqa: FBT001 - see field_names
) -> bool | tuple[str, ...]:
    if one is True or two is True:
        return True
    return tuple({*(one or ()), *(two or ())}) or False


def _shorter(one: timedelta | None, two: timedelta | None) -> timedelta | None:
    return None if one is None or two is None else min(one, two)


def _joined_name(one: str, two: str) -> str:
    return "+".join(sorted({*one.split("+"), *two.split("+")}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long one audience may use a response without revalidation, and what it may do then.

    `no_cache` is True, or the header fields that must not be reused without revalidation.
    """

    ttl: timedelta = ZERO
    stale_while_revalidate: timedelta | None = None
    stale_if_error: timedelta | None = None
    must_revalidate: bool = False
    no_cache: bool | tuple[str, ...] = False

    def __post_init__(self) -> None:
        """Raise PolicyError for contradictory values."""
        object.__setattr__(self, "no_cache", field_names(self.no_cache, argument="no_cache"))
        for reason in self._contradictions():
            raise PolicyError(reason)

    def _contradictions(self) -> Iterator[str]:
        for what in ("ttl", "stale_while_revalidate", "stale_if_error"):
            yield from _check_duration(what, getattr(self, what))
        for what in ("stale_while_revalidate", "stale_if_error"):
            if getattr(self, what) and self.must_revalidate:
                yield f"{what} serves stale, which must_revalidate forbids: use one of them."
            if getattr(self, what) and self.no_cache is True:
                yield f"{what} skips revalidation, which no_cache requires: use one of them."
        if self.ttl and self.no_cache is True:
            yield "no_cache always revalidates, so a ttl has no effect: use one of them."

    @property
    def stores(self) -> bool:
        """Whether a cache may reuse the response without revalidation, fresh or stale."""
        return bool(self.ttl or self.stale_while_revalidate or self.stale_if_error)

    def intersect(self, other: Freshness) -> Freshness:
        """Return the freshness that both allow."""
        no_cache = _stricter(self.no_cache, other.no_cache)
        must = self.must_revalidate or other.must_revalidate
        strict = must or no_cache is True
        swr = _shorter(self.stale_while_revalidate, other.stale_while_revalidate)
        sie = _shorter(self.stale_if_error, other.stale_if_error)
        return Freshness(
            ttl=ZERO if no_cache is True else min(self.ttl, other.ttl),
            stale_while_revalidate=None if strict else swr,
            stale_if_error=None if strict else sie,
            must_revalidate=must,
            no_cache=no_cache,
        )

    def ending(self, remaining: timedelta) -> Freshness:
        """Return the freshness limited to the remaining time, without stale serving."""
        return replace(
            self,
            ttl=min(self.ttl, remaining),
            stale_while_revalidate=None,
            stale_if_error=None,
            must_revalidate=True,
        )

    def to_text(self) -> str:
        """Describe what this audience does."""
        text = f"keeps it for {format_duration(self.ttl)}" if self.ttl else "revalidates each time"
        if self.stale_while_revalidate:
            span = format_duration(self.stale_while_revalidate)
            text += f", then up to {span} more while it revalidates"
        if self.stale_if_error:
            text += f", up to {format_duration(self.stale_if_error)} more if the origin fails"
        if self.ttl and self.must_revalidate:
            text += ", never longer"
        if isinstance(self.no_cache, tuple):
            text += f", revalidates before it reuses {', '.join(self.no_cache)}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named caching policy for two audiences: browser and shared cache.

    Attributes:
        name: the name in reports.
        browser: the freshness in browsers, or only its TTL; by default they revalidate each time.
        edge: the freshness in shared caches, or only its TTL; None means the same as in browsers.
        private: True, or the header fields that only the browser may store.
        public: whether to send the directive `public`.
        no_store: no cache stores the response. The browser's `no_cache` and `must_revalidate` are
            sent as well, for caches that obey only one of them.
        immutable: whether the response never changes while it is fresh.
        no_transform: whether to send the directive `no-transform`.
        must_understand: whether to send the directive `must-understand`.
        vary: the request headers that the response varies on.
        literal: the edge's directives are written into Cache-Control itself (`s-maxage`), in every
            dialect.
        purged: the page is purged when its content changes; edges that can't be purged get a
            capped TTL.
        timed: the freshness is a limit in time, which no cache on the way may restart.
        until: ends every lifetime at the next "minute", "hour" or "midnight", for pages that
            depend on the current time.
        zone: the time zone of `until`.
    """

    name: str = field(kw_only=False)
    browser: Freshness = Freshness()
    edge: Freshness | None = None
    private: bool | tuple[str, ...] = False
    public: bool = False
    no_store: bool = False
    immutable: bool = False
    no_transform: bool = False
    must_understand: bool = False
    vary: tuple[str, ...] = ()
    literal: bool = False
    purged: bool = True
    timed: bool = False
    until: str | None = None
    zone: str = "UTC"

    if TYPE_CHECKING:  # as the decorator writes it; a TTL is accepted as a freshness

        def __init__(  # noqa: PLR0913 - one argument for each field
            self,
            name: str,
            *,
            browser: Freshness | timedelta = ...,
            edge: Freshness | timedelta | None = ...,
            private: bool | str | Iterable[str] = ...,
            public: bool = ...,
            no_store: bool = ...,
            immutable: bool = ...,
            no_transform: bool = ...,
            must_understand: bool = ...,
            vary: Iterable[str] = ...,
            literal: bool = ...,
            purged: bool = ...,
            timed: bool = ...,
            until: str | None = ...,
            zone: str = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Raise PolicyError for contradictory values."""
        object.__setattr__(self, "browser", self._freshness_of("browser"))
        if self.edge is not None:
            object.__setattr__(self, "edge", self._freshness_of("edge"))
        object.__setattr__(self, "private", field_names(self.private, argument="private"))
        object.__setattr__(self, "vary", field_names(self.vary, argument="vary") or ())
        for reason in self._contradictions():
            raise PolicyError(f"Policy {self.name!r}: {reason}")

    def _freshness_of(self, audience: Literal["browser", "edge"]) -> Freshness:
        """Return the freshness of an audience for which a TTL may be given alone."""
        value: object = getattr(self, audience)
        if isinstance(value, timedelta):
            return Freshness(ttl=value)
        if not isinstance(value, Freshness):
            raise PolicyError(
                f"Policy {self.name!r}: {audience} is {value!r}: write a duration, such as "
                "days(1) or minutes(5), or a Freshness."
            )
        return value

    def _contradictions(self) -> Iterator[str]:
        if not self.name:
            yield "it needs a name, which reports show."
        if self.no_store:
            yield from self._conflicts_with_no_store()
        if self.private is True:
            yield from self._conflicts_with_private()
        if not (self.purged or self.timed):
            yield "a policy with purged=False is limited in time: set timed=True."
        yield from find_errors(self.until, self.zone)
        if self.until is not None and self.immutable:
            yield f"immutable content never changes, which contradicts until={self.until!r}."
        yield from self._vary_conflicts()
        if self.immutable and not (self.browser.ttl or self.no_store):
            yield "immutable applies while a response is fresh: give the browser a ttl."

    def _vary_conflicts(self) -> Iterator[str]:
        if "*" in self.vary:
            yield "Vary: * matches no request, so nothing can be reused: set no_store=True."
        if self.is_shareable:
            for name in sorted(_CREDENTIAL_HEADERS.intersection(self.vary)):
                yield f"varying on {name} makes it private: set private=True or no_store=True."

    def _conflicts_with_no_store(self) -> Iterator[str]:
        if self.browser.stores or self.edge is not None:
            yield "no_store stores nothing, so a ttl or other freshness has no effect."
        for what in ("public", "immutable", "must_understand"):
            if getattr(self, what):
                yield f"no_store and {what} contradict each other."

    def _conflicts_with_private(self) -> Iterator[str]:
        if self.edge is not None:
            yield "private excludes every edge, so an edge freshness has no effect."
        if self.public:
            yield "private and public contradict each other."

    @property
    def is_shareable(self) -> bool:
        """Whether a shared cache may store the response."""
        return not self.no_store and self.private is not True

    @property
    def edge_freshness(self) -> Freshness:
        """The freshness in a shared cache."""
        return self.edge if self.edge is not None else self.browser

    def merge(self, other: Policy) -> Policy:
        """Return the stricter policy, field by field; the order does not matter."""
        name = _joined_name(self.name, other.name)
        if self.no_store or other.no_store:
            return Policy(
                name=name,
                browser=self._restrictions().intersect(other._restrictions()),
                no_store=True,
                private=_stricter(self.private, other.private),
                no_transform=self.no_transform or other.no_transform,
                vary=(*self.vary, *other.vary),
            )
        until, zone = sooner((self.until, self.zone), (other.until, other.zone))
        private = _stricter(self.private, other.private)
        browser = self.browser.intersect(other.browser)
        has_edge_freshness = self.edge is not None or other.edge is not None
        edge = (
            self.edge_freshness.intersect(other.edge_freshness)
            if has_edge_freshness and private is not True
            else None
        )
        return Policy(
            name=name,
            browser=browser,
            edge=edge,
            private=private,
            public=self.public and other.public,
            immutable=self.immutable and other.immutable and bool(browser.ttl) and until is None,
            no_transform=self.no_transform or other.no_transform,
            must_understand=self.must_understand or other.must_understand,
            vary=(*self.vary, *other.vary),
            literal=self.literal and other.literal,
            purged=self.purged or other.purged,
            timed=self.timed or other.timed,
            until=until,
            zone=zone,
        )

    def ending(self, now: datetime) -> Policy:
        """Return the policy of a response at the time `now`: no lifetime exceeds `until`.

        Nothing is served stale after that, and no cache on the way may restart its lifetime.
        """
        if self.until is None or self.no_store:
            return self
        remaining = time_left(self.until, self.zone, now)
        return replace(
            self,
            browser=self.browser.ending(remaining),
            edge=None if self.edge is None else self.edge.ending(remaining),
            timed=True,
        )

    def _restrictions(self) -> Freshness:
        """Return the `no-cache` and `must-revalidate` that a `no-store` policy adds."""
        return self.browser if self.no_store else Freshness()

    def with_vary(self, names: Iterable[str]) -> Policy:
        """Return the policy with these request headers added to `vary`."""
        return replace(self, vary=(*self.vary, *names))

    def texts_by_audience(self) -> AudienceTexts:
        """Describe what each audience does."""
        if self.no_store:
            return AudienceTexts("keeps nothing", "keeps nothing")
        browser = self.browser.to_text() + (", without revalidation" if self.immutable else "")
        if self.private is True:
            return AudienceTexts(browser, "keeps nothing")
        edge = self.edge_freshness.to_text()
        if isinstance(self.private, tuple):
            edge += f", without {', '.join(self.private)}"
        if self.until is not None:
            end = f", until the next {self.until}" + (
                f" in {self.zone}" if self.until == "midnight" else ""
            )
            browser, edge = browser + end, edge + end
        if self.vary:
            edge += f", one copy per {', '.join(self.vary)}"
        return AudienceTexts(browser, edge)


NO_STORE = Policy(name="NO_STORE", no_store=True)
"""The policy of a response that no cache stores; it applies where no other policy is stated."""
