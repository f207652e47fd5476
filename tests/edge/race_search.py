"""Renders, writers and the clock as machines of single steps, and a search of all their orders.

The ground that they stand on is handed to them: `grounds.Real` or `grounds.Model`. A state is the
ground and where everybody stands; orders that lead to the same state are followed only once, so
that the search covers every order without walking each of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

Body = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What keeps pages fresh; each can be broken, to show that it is needed."""

    check: bool = True
    """A page that changed while it was made is not registered."""
    register_first: bool = True
    """It is registered before it leaves."""
    token: bool = True
    """The gateway refuses what was fetched before a purge."""
    token_first: bool = True
    """The token is read before the page is made."""
    commit_first: bool = True
    """Purges come after the commit."""
    inside_out: bool = True
    """The CDN is purged after the gateway."""
    second_purge: bool = True
    """The CDN is purged again when nothing old can be on its way to it."""


class Ground(Protocol):
    """The database, the gateway and the CDN, for one page that shows every post."""

    rules: Rules

    def save(self) -> Any:
        """Everything, to be restored."""

    def restore(self, saved: Any) -> None:
        """Be as it was."""

    def key(self) -> Hashable:
        """What tells two states apart."""

    def lookup(self) -> Body | None:
        """What the gateway has."""

    def token(self) -> int:
        """The gateway's purge counter."""

    def mark(self) -> str:
        """A place in the change log."""

    def render_page(self) -> Body:
        """Make the page from the database."""

    def register(self, mark: str) -> bool:
        """Put the page into the index, unless it changed since the mark."""

    def keep(self, body: Body, token: int) -> None:
        """Store the page in the gateway."""

    def arrive(self, body: Body) -> None:
        """Store the page at the CDN."""

    def stored_bodies(self) -> tuple[Body | None, Body | None]:
        """What the gateway and the CDN have."""

    def commit(self, number: int) -> None:
        """Alter a post."""

    def alter_unseen(self, number: int) -> None:
        """Alter a post after its pages were purged."""

    def purge_by_hand(self) -> None:
        """Purge the page everywhere."""

    def settle(self) -> None:
        """Resolve what was written."""

    def claim(self) -> Any:
        """Claim what the gateway is owed."""

    def call(self, claim: Any) -> None:
        """Purge the gateway of what was claimed."""

    def record(self, claim: Any) -> None:
        """Note that it was purged."""

    def purge_gateway(self) -> None:
        """Claim, call and record at once."""

    def purge_cdn(self) -> None:
        """Send the CDN what it is owed now."""

    def pass_time(self) -> None:
        """Let the longest flight of a response pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """The CDN asks the gateway for the page, which makes it when it has none."""

    at: str = "ask"
    token: int = 0
    mark: str = ""
    body: Body = ""

    @property
    def flying(self) -> bool:
        """Whether a response is on its way, which takes no longer than a flight."""
        return self.at in {"keep", "arrive"}

    def step(self, ground: Ground) -> Render:
        """Do the next thing."""
        step: Render = getattr(self, f"_{self.at}")(ground)
        return step

    def _ask(self, ground: Ground) -> Render:
        body = ground.lookup()
        if body is not None:
            return replace(self, at="arrive", body=body)
        return replace(self, at="mark", token=ground.token())

    def _mark(self, ground: Ground) -> Render:
        return replace(self, at="render", mark=ground.mark())

    def _render(self, ground: Ground) -> Render:
        first = "register" if ground.rules.register_first else "keep"
        return replace(self, at=first, body=ground.render_page())

    def _register(self, ground: Ground) -> Render:
        is_registered = ground.register(self.mark)
        after = "keep" if ground.rules.register_first else "arrive"
        return replace(self, at=after if is_registered else "")

    def _keep(self, ground: Ground) -> Render:
        late = not (ground.rules.token and ground.rules.token_first)
        ground.keep(self.body, ground.token() if late else self.token)
        return replace(self, at="arrive" if ground.rules.register_first else "register")

    def _arrive(self, ground: Ground) -> Render:
        ground.arrive(self.body)
        return replace(self, at="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A process that alters a post and purges what it altered.

    With `parts` its purge of the gateway is not one step but three.
    """

    post: int
    at: str = "commit"
    parts: bool = False
    claim: Any = field(default=None, compare=False)
    flying = False

    def step(self, ground: Ground) -> Writer:
        """Do the next thing."""
        step: Writer = getattr(self, f"_{self.at}")(ground)
        return step

    def _commit(self, ground: Ground) -> Writer:
        if not ground.rules.commit_first:
            ground.purge_by_hand()
            return replace(self, at="unseen")
        ground.commit(self.post)
        return replace(self, at="settle")

    def _unseen(self, ground: Ground) -> Writer:
        ground.alter_unseen(self.post)
        return replace(self, at="")

    def _settle(self, ground: Ground) -> Writer:
        ground.settle()
        return replace(self, at="claim" if self.parts else "gateway")

    def _gateway(self, ground: Ground) -> Writer:
        ground.purge_gateway()
        return replace(self, at="cdn")

    def _claim(self, ground: Ground) -> Writer:
        claim = ground.claim()
        return replace(self, at="call" if claim else "cdn", claim=claim)

    def _call(self, ground: Ground) -> Writer:
        ground.call(self.claim)
        return replace(self, at="record")

    def _record(self, ground: Ground) -> Writer:
        ground.record(self.claim)
        return replace(self, at="cdn", claim=None)

    def _cdn(self, ground: Ground) -> Writer:
        ground.purge_cdn()
        return replace(self, at="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time passes while others are at it, and the relay sends what is due."""

    at: str = "tick"
    ticks: int = 1
    flying = False

    def step(self, ground: Ground) -> Clock:
        """Let a flight's time pass."""
        ground.pass_time()
        ground.purge_cdn()
        return replace(self, at="tick" if self.ticks > 1 else "", ticks=self.ticks - 1)


Actor = Render | Writer | Clock
Actors = tuple[Actor, ...]


@dataclass(slots=True)
class SearchResult:
    """What a search has seen: how much, and the first orders that left something stale."""

    states: int = 0
    ends: int = 0
    gateway: tuple[str, ...] | None = None
    cdn: tuple[str, ...] | None = None


def search(ground: Ground, actors: Actors) -> SearchResult:
    """Follow every order of the actors' steps to its end, and look for a stale page there."""
    result, visited = SearchResult(), set()
    start = (ground.save(), actors, ())
    stack: list[tuple[Any, Actors, tuple[str, ...]]] = [start]
    while stack:
        saved, actors, path = stack.pop()
        ground.restore(saved)
        state_key = (ground.key(), actors)
        if state_key in visited:
            continue
        visited.add(state_key)
        result.states += 1
        moving = list(movable(actors))
        if not moving:
            result.ends += 1
            judge(ground, path, result)
        for number in moving:
            ground.restore(saved)
            actor = actors[number].step(ground)
            next_path = (*path, f"{number}.{actors[number].at}")
            after = (*actors[:number], actor, *actors[number + 1 :])
            stack.append((ground.save(), after, next_path))
    return result


def movable(actors: Sequence[Actor]) -> Iterator[int]:
    """Who can take a step; time waits for responses that are on their way."""
    flying = any(actor.flying for actor in actors)
    for number, actor in enumerate(actors):
        if actor.at and not (flying and isinstance(actor, Clock)):
            yield number


def judge(ground: Ground, path: tuple[str, ...], result: SearchResult) -> None:
    """Let the relay finish, and compare what the tiers hold with the page as it is now."""
    for _ in range(4):
        ground.settle()
        ground.purge_gateway()
        ground.purge_cdn()
        ground.pass_time()
    gateway, cdn = ground.stored_bodies()
    fresh = ground.render_page()
    if gateway not in {None, fresh}:
        result.gateway = result.gateway or path
    if cdn not in {None, fresh}:
        result.cdn = result.cdn or path
