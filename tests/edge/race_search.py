"""Renders, writers and the clock as state machines, and a search of all orders of their steps.

The machines work on a system: `race_systems.Real` or `race_systems.Model`. A state is the state of
the system and of all machines. Orders that lead to the same state are followed only once, so the
search covers every order without running each of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

Body = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that keep pages fresh; a test breaks each of them to show that it is needed."""

    check: bool = True
    """A page that changed during its render is not registered."""
    register_first: bool = True
    """A page is registered before it is sent."""
    token: bool = True
    """The gateway does not store a response that was fetched before a purge."""
    token_first: bool = True
    """The token is read before the page is rendered."""
    commit_first: bool = True
    """Purges come after the commit."""
    inside_out: bool = True
    """The CDN is purged after the gateway."""
    second_purge: bool = True
    """The CDN is purged again when no old response can be in flight."""


class System(Protocol):
    """The database, the gateway and the CDN, for one page that shows every post."""

    rules: Rules

    def save(self) -> Any:
        """Return the complete state."""

    def restore(self, saved: Any) -> None:
        """Restore a saved state."""

    def key(self) -> Hashable:
        """Return a key that is equal for equal states."""

    def lookup(self) -> Body | None:
        """Return the body in the gateway, or None."""

    def token(self) -> int:
        """Return the gateway's purge counter."""

    def mark(self) -> str:
        """Return the current log position."""

    def render_page(self) -> Body:
        """Render the page from the database."""

    def register(self, mark: str) -> bool:
        """Register the page, unless it changed since the log position."""

    def keep(self, body: Body, token: int) -> None:
        """Store the page in the gateway."""

    def arrive(self, body: Body) -> None:
        """Store the page at the CDN."""

    def stored_bodies(self) -> tuple[Body | None, Body | None]:
        """Return the bodies in the gateway and at the CDN."""

    def commit(self, number: int) -> None:
        """Change a post and commit."""

    def alter_unseen(self, number: int) -> None:
        """Change a post after its pages were purged."""

    def purge_by_hand(self) -> None:
        """Purge the page everywhere."""

    def settle(self) -> None:
        """Resolve the changes and enqueue the purges."""

    def claim(self) -> Any:
        """Claim the pending purges of the gateway."""

    def call(self, claim: Any) -> None:
        """Purge the claimed pages from the gateway."""

    def record(self, claim: Any) -> None:
        """Record that the purge succeeded."""

    def purge_gateway(self) -> None:
        """Claim, call and record in one step."""

    def purge_cdn(self) -> None:
        """Send the due purges to the CDN."""

    def pass_time(self) -> None:
        """Advance the clock by the maximum flight time of a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """The CDN requests the page from the gateway, which renders it on a miss."""

    at: str = "ask"
    token: int = 0
    mark: str = ""
    body: Body = ""

    @property
    def flying(self) -> bool:
        """Whether a response is in flight."""
        return self.at in {"keep", "arrive"}

    def step(self, system: System) -> Render:
        """Run the next step."""
        step: Render = getattr(self, f"_{self.at}")(system)
        return step

    def _ask(self, system: System) -> Render:
        body = system.lookup()
        if body is not None:
            return replace(self, at="arrive", body=body)
        return replace(self, at="mark", token=system.token())

    def _mark(self, system: System) -> Render:
        return replace(self, at="render", mark=system.mark())

    def _render(self, system: System) -> Render:
        first = "register" if system.rules.register_first else "keep"
        return replace(self, at=first, body=system.render_page())

    def _register(self, system: System) -> Render:
        is_registered = system.register(self.mark)
        after = "keep" if system.rules.register_first else "arrive"
        return replace(self, at=after if is_registered else "")

    def _keep(self, system: System) -> Render:
        late = not (system.rules.token and system.rules.token_first)
        system.keep(self.body, system.token() if late else self.token)
        return replace(self, at="arrive" if system.rules.register_first else "register")

    def _arrive(self, system: System) -> Render:
        system.arrive(self.body)
        return replace(self, at="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A process that changes a post and purges its pages.

    With `parts`, the purge of the gateway consists of three steps.
    """

    post: int
    at: str = "commit"
    parts: bool = False
    claim: Any = field(default=None, compare=False)
    flying = False

    def step(self, system: System) -> Writer:
        """Run the next step."""
        step: Writer = getattr(self, f"_{self.at}")(system)
        return step

    def _commit(self, system: System) -> Writer:
        if not system.rules.commit_first:
            system.purge_by_hand()
            return replace(self, at="unseen")
        system.commit(self.post)
        return replace(self, at="settle")

    def _unseen(self, system: System) -> Writer:
        system.alter_unseen(self.post)
        return replace(self, at="")

    def _settle(self, system: System) -> Writer:
        system.settle()
        return replace(self, at="claim" if self.parts else "gateway")

    def _gateway(self, system: System) -> Writer:
        system.purge_gateway()
        return replace(self, at="cdn")

    def _claim(self, system: System) -> Writer:
        claim = system.claim()
        return replace(self, at="call" if claim else "cdn", claim=claim)

    def _call(self, system: System) -> Writer:
        system.call(self.claim)
        return replace(self, at="record")

    def _record(self, system: System) -> Writer:
        system.record(self.claim)
        return replace(self, at="cdn", claim=None)

    def _cdn(self, system: System) -> Writer:
        system.purge_cdn()
        return replace(self, at="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time passes during the other steps, and the relay sends due purges."""

    at: str = "tick"
    ticks: int = 1
    flying = False

    def step(self, system: System) -> Clock:
        """Advance the clock, and send the due purges."""
        system.pass_time()
        system.purge_cdn()
        return replace(self, at="tick" if self.ticks > 1 else "", ticks=self.ticks - 1)


Actor = Render | Writer | Clock
Actors = tuple[Actor, ...]


@dataclass(slots=True)
class SearchResult:
    """The result of a search: counts, and the first orders that left a stale page."""

    states: int = 0
    ends: int = 0
    gateway: tuple[str, ...] | None = None
    cdn: tuple[str, ...] | None = None


def search(system: System, actors: Actors, *, until: str | None = None) -> SearchResult:
    """Follow every order of the actors' steps to its end, and check for a stale page.

    With `until`, stop as soon as there is a stale page in this tier, "gateway" or "cdn".
    """
    result, transitions = SearchResult(states=1), Transitions(system)
    start = Saved(state=system.save(), key=system.key())
    visited: set[Hashable] = {(start.key, actors)}
    stack: list[tuple[Saved, Actors, tuple[str, ...]]] = [(start, actors, ())]
    while stack and not (until and getattr(result, until)):
        saved, actors, path = stack.pop()
        moving = list(movable(actors))
        if not moving:
            system.restore(saved.state)
            result.ends += 1
            judge(system, path, result)
        for number in moving:
            after, next_actors = transitions.step(saved, actors, number)
            if (after.key, next_actors) not in visited:
                visited.add((after.key, next_actors))
                result.states += 1
                next_path = (*path, f"{number}.{actors[number].at}")
                stack.append((after, next_actors, next_path))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved state of the system, and the key that equal states share."""

    state: Any
    key: Hashable


class Transitions:
    """Runs a step once for each state of the system, at any step of the other actors.

    While an actor holds a claim, every step runs: the claim holds a random token, which is in the
    saved state but not in its key.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._results: dict[Hashable, tuple[Saved, Actor]] = {}

    def step(self, saved: Saved, actors: Actors, number: int) -> tuple[Saved, Actors]:
        """Return the state and the actors after the next step of one actor."""
        key = (saved.key, actors[number])
        has_claim = any(isinstance(actor, Writer) and actor.claim for actor in actors)
        if has_claim or key not in self._results:
            self._system.restore(saved.state)
            actor = actors[number].step(self._system)
            after = Saved(state=self._system.save(), key=self._system.key())
            if has_claim:
                return after, (*actors[:number], actor, *actors[number + 1 :])
            self._results[key] = after, actor
        after, actor = self._results[key]
        return after, (*actors[:number], actor, *actors[number + 1 :])


def movable(actors: Sequence[Actor]) -> Iterator[int]:
    """Yield the actors that can take a step; the clock waits for responses in flight."""
    flying = any(actor.flying for actor in actors)
    for number, actor in enumerate(actors):
        if actor.at and not (flying and isinstance(actor, Clock)):
            yield number


def judge(system: System, path: tuple[str, ...], result: SearchResult) -> None:
    """Finish all purges, then compare the stored bodies with a fresh render."""
    for _ in range(4):
        system.settle()
        system.purge_gateway()
        system.purge_cdn()
        system.pass_time()
    gateway, cdn = system.stored_bodies()
    fresh = system.render_page()
    if gateway not in {None, fresh}:
        result.gateway = result.gateway or path
    if cdn not in {None, fresh}:
        result.cdn = result.cdn or path
