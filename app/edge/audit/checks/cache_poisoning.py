"""Poison: whether a header that a reader made up changes what the next reader gets.

Each trial has a URL of its own that nobody is ever led to, so that it harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from ...http.fields import Pair
from ..check import Check, Judge, Seen, Trial
from ..exchange import BROWSER, Ask, Exchange
from ..findings import Finding, Kind, Level

POISONED = Kind(
    id="poisoned",
    level=Level.ERROR,
    title="A made-up header of one reader changes the page that the next reader gets.",
    advice="Anybody can deface or break the site: drop this header at the edge, don't let the "
    "origin believe it, then purge everything.",
)
BELIEVED = Kind(
    id="header-believed",
    level=Level.WARNING,
    title="The origin believes a header that any reader can send.",
    advice="Drop the header at the edge, and trust forwarded headers from your own proxies alone "
    "(FLASK_PROXIES).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """Headers that are tried together; `marker` shows up where they are believed."""

    name: str
    headers: tuple[Pair, ...]
    marker: str = ""


_SERIOUS = frozenset({400, 403, 413, 414, 421, 431})
"""Statuses by which a server refuses an odd request, as it should."""


def games(seen: Seen) -> tuple[Game, ...]:
    """What is tried on a site."""
    mark = f"edge-check-{seen.token}"
    host, path = f"{mark}.invalid", f"/{mark}-path"
    named = seen.address.authority.removesuffix(f":{seen.address.port}")
    return (
        Game(
            name="forwarded-host",
            marker=host,
            headers=(
                ("X-Forwarded-Host", host),
                ("X-Forwarded-Server", host),
                ("X-Host", host),
                ("Forwarded", f"host={host}"),
            ),
        ),
        Game(
            name="underscores",
            marker=host,
            headers=(("X_Forwarded_Host", host), ("X_Forwarded_Prefix", path)),
        ),
        Game(
            name="original-url",
            marker=path,
            headers=(("X-Original-URL", path), ("X-Rewrite-URL", path)),
        ),
        Game(
            name="prefix",
            marker=path,
            headers=(("SCRIPT_NAME", path), ("Script-Name", path), ("X-Forwarded-Prefix", path)),
        ),
        Game(
            name="scheme",
            headers=(("X-Forwarded-Proto", "nothing"), ("X-Forwarded-Scheme", "http")),
        ),
        Game(
            name="method",
            headers=(("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE")),
        ),
        Game(name="port", marker=":59999", headers=(("Host", f"{named}:59999"),)),
        Game(name="oversized", headers=(("X-Edge-Check", "x" * 12_000),)),
    )


def _trials(seen: Seen) -> Iterator[Trial]:
    reference = Ask(target=seen.never_linked("reference"))
    for game in games(seen):
        clean = Ask(target=seen.never_linked(game.name))
        played = Ask(target=clean.target, headers=(*BROWSER, *game.headers))
        yield Trial(asks=(played, clean, reference), judge=_judge(game), silence_is_fine=True)


def _judge(game: Game) -> Judge:
    def judge(got: Sequence[Exchange]) -> Iterator[Finding]:
        played, clean, reference = got
        what = f"{game.headers[0][0]} ({game.name}): {clean.ask.words()}"
        if _changed(clean, reference, game):
            yield POISONED.found(f"{what} got {clean.status} afterwards")
        elif played.status not in _SERIOUS and _changed(played, reference, game):
            yield BELIEVED.found(f"{what} got {played.status} with it")

    return judge


def _changed(exchange: Exchange, reference: Exchange, game: Game) -> bool:
    """Whether an answer is another one than a plain request gets."""
    if exchange.status != reference.status:
        return exchange.status != HTTPStatus.NOT_MODIFIED
    if not game.marker:
        return False
    told = " ".join(exchange.fields.lines("location"))
    return game.marker in told or game.marker in exchange.text()


CHECK = Check(
    name="poison",
    question="Can a reader's header change what the next reader gets?",
    kinds=(POISONED, BELIEVED),
    trials=_trials,
)
