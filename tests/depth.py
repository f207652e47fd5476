"""How many random cases the tests try: `DEPTH=fast` (the default), `DEPTH=ci` or `DEPTH=night`.

The claims are the same at every depth; only the number of random steps, kills and examples differs.
`STEPS`, `SEED`, `KILLS`, `CRASHES`, `OUTAGES`, `EXAMPLES` and `CASES` override single numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TypeVar

from hypothesis import HealthCheck, settings

Case = TypeVar("Case")

NAMES = ("fast", "ci", "night")


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The numbers of one depth."""

    steps: int
    """Steps of the random walk over SQLite."""
    postgres_steps: int
    """Steps of the random walk over PostgreSQL."""
    shell_steps: int
    """Steps of each walk in which processes with other settings write."""
    varnish_steps: int
    """Steps of the random walk with a real Varnish."""
    kills: int
    """Processes of a site that are killed, over both databases."""
    crashes: int
    """Editors that are killed beside a running server; one for each of the six steps of a purge."""
    store_kills: int
    """Processes that are killed while they write into one store of the gateway."""
    outages: int
    """Random sequences of outages at the edges."""
    examples: float
    """Examples of a property that sets its own number, as a share of that number."""
    default_examples: int
    """Examples of a property that sets no number."""


DEPTHS = MappingProxyType(
    {
        "fast": Depth(
            steps=240,
            postgres_steps=80,
            shell_steps=48,
            varnish_steps=32,
            kills=30,
            crashes=6,
            store_kills=15,
            outages=2,
            examples=1 / 4,
            default_examples=60,
        ),
        "ci": Depth(
            steps=2_500,
            postgres_steps=500,
            shell_steps=625,
            varnish_steps=40,
            kills=200,
            crashes=6,
            store_kills=150,
            outages=8,
            examples=1,
            default_examples=100,
        ),
        "night": Depth(
            steps=25_000,
            postgres_steps=5_000,
            shell_steps=6_250,
            varnish_steps=400,
            kills=2_000,
            crashes=60,
            store_kills=1_500,
            outages=80,
            examples=10,
            default_examples=1_000,
        ),
    }
)


def choose_depth(name: str) -> Depth:
    """Return the numbers of a depth; refuse a name that does not exist."""
    if name not in DEPTHS:
        message = f"DEPTH={name!r} does not exist: use one of {', '.join(NAMES)}."
        raise ValueError(message)
    return DEPTHS[name]


def choose_case_limit(depth: str, value: str = "") -> int | None:
    """Return how many cases of one parametrised test run: all (None) in CI and at night.

    `value` overrides it: a number, or `all`.
    """
    if value == "all" or (not value and depth != "fast"):
        return None
    return int(value or 12)


NAME = os.environ.get("DEPTH") or "fast"
DEPTH = choose_depth(NAME)
CASES = choose_case_limit(NAME, os.environ.get("CASES", ""))
SLOW_CASES = max((CASES or 0) // 3, 1)
"""How many cases of a slow parametrised test run, where `CASES` is a number."""


def _number(variable: str, default: int) -> int:
    return int(os.environ.get(variable) or default)


STEPS = _number("STEPS", DEPTH.steps)
POSTGRES_STEPS = _number("STEPS", DEPTH.postgres_steps)
VARNISH_STEPS = _number("STEPS", DEPTH.varnish_steps)
SHELL_STEPS = max(STEPS // 4, 100) if os.environ.get("STEPS") else DEPTH.shell_steps

SEED = _number("SEED", Random().randrange(2**32))
KILLS = _number("KILLS", DEPTH.kills)
CRASHES = _number("CRASHES", DEPTH.crashes)
STORE_KILLS = DEPTH.store_kills
OUTAGES = _number("OUTAGES", DEPTH.outages)


def examples(count: int) -> int:
    """Return how many examples a test tries that asks for `count` of them in CI."""
    return _number("EXAMPLES", round(count * DEPTH.examples))


def share(count: int) -> int:
    """Return `count` in CI and at night, and a third of it by default: a size, not a number of tries."""
    return count if DEPTH.examples >= 1 else round(count / 3)


def choose_positions(count: int, *, most: int, random: Random) -> list[int]:
    """One position of each of `most` equal parts of a table with `count` cases.

    One random position per part, not every n-th one: in a product of parameters every n-th case
    could have the same value of one of them.
    """
    if count <= most:
        return list(range(count))
    bounds = [part * count // most for part in range(most + 1)]
    return [random.randrange(*bounds[part : part + 2]) for part in range(most)]


def choose_cases(cases: Sequence[Case], start: int = 0) -> Sequence[Case]:
    """Return all cases in CI, and one of each four by default, chosen by the seed and `start`."""
    most = math.ceil(len(cases) * min(DEPTH.examples, 1))
    random = Random(f"{SEED} {start}")
    return [cases[position] for position in choose_positions(len(cases), most=most, random=random)]


def register_profiles() -> None:
    """Register a hypothesis profile for each depth, and load the one of this run.

    CI always tries the same examples, as hypothesis does by itself there: a change is not blamed
    for a fault that another run would have shown as well.
    """
    for name, depth in DEPTHS.items():
        settings.register_profile(
            name,
            max_examples=depth.default_examples,
            deadline=None,
            derandomize=name == "ci",
            database=None if name == "ci" else settings().database,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile(NAME)
