"""What a page promises to browser and edge, as a value that can't contradict itself.

No header is spelled in here and no framework is known: `dialects` spells, an adapter applies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ..http.durations import format_duration
from .until import find_errors, sooner, time_left

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

ZERO = timedelta()
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIAL_HEADERS = frozenset({"Cookie", "Authorization"})


class PolicyError(ValueError):
    """A promise that the programmer has made wrongly, with the reason."""


class AudienceTexts(NamedTuple):
    """A policy in plain words, one phrase an audience."""

    browser: str
    edge: str


def field_names(names: bool | str | Iterable[str], *, argument: str) -> bool | tuple[str, ...]:  # noqa: FBT001 - True means all of the response, as the bare directive does
    """Bring a list of header field names into one spelling and order; a bool stays a bool."""
    if isinstance(names, bool):
        return names
    listed = names.split(",") if isinstance(names, str) else list(names)
    for name in listed:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name.strip()):
            raise PolicyError(f"{argument} names {name!r}, which is no header field name.")
    return tuple(sorted({name.strip().title() for name in listed})) or False


def _check_duration(what: str, span: object) -> Iterator[str]:
    if span is None and what != "ttl":
        return
    if not isinstance(span, timedelta):
        yield f"{what} is {span!r}: write it as a timedelta."
    elif span < ZERO:
        yield f"{what} is {span.total_seconds():g} seconds: a span can't be negative."


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
    """How long one audience may use a response without asking, and what it may do after that.

    `no_cache` is True, or the header fields that must not be reused without asking.
    """

    ttl: timedelta = ZERO
    stale_while_revalidate: timedelta | None = None
    stale_if_error: timedelta | None = None
    must_revalidate: bool = False
    no_cache: bool | tuple[str, ...] = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "no_cache", field_names(self.no_cache, argument="no_cache"))
        for reason in self._contradictions():
            raise PolicyError(reason)

    def _contradictions(self) -> Iterator[str]:
        for what in ("ttl", "stale_while_revalidate", "stale_if_error"):
            yield from _check_duration(what, getattr(self, what))
        for what in ("stale_while_revalidate", "stale_if_error"):
            if getattr(self, what) and self.must_revalidate:
                yield f"{what} serves stale, must_revalidate forbids it: keep one of them."
            if getattr(self, what) and self.no_cache is True:
                yield f"{what} serves without asking, no_cache forbids it: keep one of them."
        if self.ttl and self.no_cache is True:
            yield "no_cache asks each time, so a ttl means nothing: keep one of them."

    @property
    def stores(self) -> bool:
        """Whether a cache may reuse the response without asking, fresh or stale."""
        return bool(self.ttl or self.stale_while_revalidate or self.stale_if_error)

    def intersect(self, other: Freshness) -> Freshness:
        """Return what both allow."""
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
        """Return what may be done for so long at most, and nothing after that."""
        return replace(
            self,
            ttl=min(self.ttl, remaining),
            stale_while_revalidate=None,
            stale_if_error=None,
            must_revalidate=True,
        )

    def to_text(self) -> str:
        """Say what this audience does."""
        text = f"keeps it for {format_duration(self.ttl)}" if self.ttl else "asks each time"
        if self.stale_while_revalidate:
            span = format_duration(self.stale_while_revalidate)
            text += f", then up to {span} more while it asks again"
        if self.stale_if_error:
            text += f", up to {format_duration(self.stale_if_error)} more if the origin fails"
        if self.ttl and self.must_revalidate:
            text += ", never longer"
        if isinstance(self.no_cache, tuple):
            text += f", asks before it reuses {', '.join(self.no_cache)}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named promise: what the browser may do and what a shared cache may do.

    Without `edge` a shared cache does as the browser does. `private` is True or the header fields
    that only the reader may keep. Beside `no_store` the browser's `no_cache` and `must_revalidate`
    are written too, for caches that obey only one of them. `literal` means that the edge's words
    stand in Cache-Control itself (`s-maxage`), as the programmer wrote them, in every dialect.

    `until` ends every lifetime at the next "minute", "hour" or "midnight" in the time zone `zone`:
    for pages that show what the present moment decides.

    `purged`: it is purged when what it shows changes, so an edge that can't be purged is held to
    the cap. `timed`: its freshness is a promise of time, which no cache on the way may begin anew.
    """

    name: str
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

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "private", field_names(self.private, argument="private"))
        object.__setattr__(self, "vary", field_names(self.vary, argument="vary") or ())
        for reason in self._contradictions():
            raise PolicyError(f"Policy {self.name!r}: {reason}")

    def _contradictions(self) -> Iterator[str]:
        if not self.name:
            yield "it needs a name, so that reports can speak of it."
        if self.no_store:
            yield from self._conflicts_with_no_store()
        if self.private is True:
            yield from self._conflicts_with_private()
        if not (self.purged or self.timed):
            yield "what isn't purged is right for a time only; say timed=True."
        yield from find_errors(self.until, self.zone)
        if self.until is not None and self.immutable:
            yield f"immutable never changes, but until={self.until!r} says when it does."
        yield from self._vary_conflicts()
        if self.immutable and not (self.browser.ttl or self.no_store):
            yield "immutable holds while a response is fresh; give the browser a ttl."

    def _vary_conflicts(self) -> Iterator[str]:
        if "*" in self.vary:
            yield "Vary: * matches no request, so nothing could be reused; say no_store."
        if self.is_shareable:
            for name in sorted(_CREDENTIAL_HEADERS.intersection(self.vary)):
                yield f"what varies on {name} is one reader's own; say private=True or no_store."

    def _conflicts_with_no_store(self) -> Iterator[str]:
        if self.browser.stores or self.edge is not None:
            yield "no_store keeps nothing, so a ttl or any freshness beside it means nothing."
        for what in ("public", "immutable", "must_understand"):
            if getattr(self, what):
                yield f"no_store and {what} contradict each other."

    def _conflicts_with_private(self) -> Iterator[str]:
        if self.edge is not None:
            yield "private keeps it from every edge, so it can't promise the edge anything."
        if self.public:
            yield "private and public contradict each other."

    @property
    def is_shareable(self) -> bool:
        """Whether a shared cache may store the response."""
        return not self.no_store and self.private is not True

    @property
    def edge_freshness(self) -> Freshness:
        """The freshness that holds in a shared cache."""
        return self.edge if self.edge is not None else self.browser

    def merge(self, other: Policy) -> Policy:
        """Return the stricter of both, word by word; the order does not matter."""
        name = _joined_name(self.name, other.name)
        if self.no_store or other.no_store:
            return Policy(
                name=name,
                browser=self._beside_no_store().intersect(other._beside_no_store()),
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
        """Return the policy for a response of this instant: no lifetime reaches beyond `until`.

        Nothing is served stale after that, and no cache on the way may begin its time anew.
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

    def _beside_no_store(self) -> Freshness:
        """Return the `no-cache` and `must-revalidate` that a policy of `no-store` repeats."""
        return self.browser if self.no_store else Freshness()

    def with_vary(self, names: Iterable[str]) -> Policy:
        """Return the policy with these request headers declared too."""
        return replace(self, vary=(*self.vary, *names))

    def texts_by_audience(self) -> AudienceTexts:
        """Say what each audience does."""
        if self.no_store:
            return AudienceTexts("keeps nothing", "keeps nothing")
        browser = self.browser.to_text() + (", never asks meanwhile" if self.immutable else "")
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
