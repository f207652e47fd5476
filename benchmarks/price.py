"""What recording and registering cost on a MISS, and what a MISS costs beside a bare Flask app.

All is counted until the reader has the page; what the server does after that is told apart.

`python benchmarks/price.py [--rounds 40] [--no-callgrind]`. CPU time is measured in turn, round
after round; instructions are counted where valgrind is installed (a minute or two).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from flask import Flask
from support import apps, cost_meter
from support.content import Volume
from support.wsgi_client import Visit, ask

from app.edge.dependencies import recorder
from app.edge.dependencies.engine_events import INTERNAL_OPTIONS
from app.edge.pages.tables import dependency, page
from app.extensions import db

PAGES = {"home": "/", "article": "/articles/story-000500", "topic": "/topics/topic-3"}
COUNTED = 3
CHANGED = 5
"""So many dependencies of a page are others after an edit, in the example."""

WARM = 4
AFTER = "afterwards"
Prices = dict[str, dict[str, float]]
GOALS = (
    ("recording", "off", 1.10),
    ("registering", "off", 1.25),
    ("after an edit", "off", 1.25),
    ("first time", "off", 1.25),
    ("registering", "bare", 1.30),
    ("after an edit", "bare", 1.30),
    ("first time", "bare", 1.30),
)


class Recording:
    """A tracker that records what a page reads, and forgets it."""

    def start_recording(self) -> None:
        """Record what is read from now on."""
        recorder.begin()

    def register_response(self, *_: object) -> None:
        """Forget it."""
        recorder.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to make a page; `prepare` sees to it that the page has to be made."""

    name: str
    app: Flask
    prepare: Callable[[str], object]

    def check(self, path: str) -> None:
        """Demand a whole page that was not answered from the store."""
        self.prepare(path)
        answer = ask(self.app, path)
        if answer.status != HTTPStatus.OK or answer.hit or answer.stored == (self.name == "bare"):
            sys.exit(f"{self.name}: {path} is {answer.status}, {answer.headers}")


def contenders(place: Path) -> Iterator[Contender]:
    """From the bare app to the whole one, each with the database of a filled site."""
    yield Contender(name="bare", app=apps.bare(place), prepare=lambda _: None)
    off = apps.untracked(place, EDGE_STORE="off")
    yield Contender(name="off", app=off, prepare=_purge(off))
    recording = apps.real(place, EDGE_STORE="recording")
    recording.extensions["edge"].tracker = Recording()
    yield Contender(name="recording", app=recording, prepare=_purge(recording))
    whole = apps.real(place, EDGE_STORE="whole")
    yield Contender(name="registering", app=whole, prepare=_purge(whole))
    for name, statements in (("after an edit", _EDITED), ("first time", _UNKNOWN)):
        yield Contender(name=name, app=whole, prepare=_forget(whole, statements))


def _purge(app: Flask) -> Callable[[str], object]:
    gateway = app.extensions["edge"].embedded_gateway.gateway
    return lambda path: gateway.purge(path)  # noqa: PLW0108 - the URL by position alone


_THIS = page.c.url == sa.bindparam("path")
_UNKNOWN = (sa.delete(page).where(_THIS),)
_FEW = sa.select(dependency.c.hash).where(
    dependency.c.page_id == sa.select(page.c.id).where(_THIS).scalar_subquery()
)
_EDITED = (
    sa.delete(dependency).where(
        dependency.c.hash.in_(_FEW.order_by(dependency.c.hash).limit(CHANGED))
    ),
    sa.update(page).where(_THIS).values(digest=""),
)


def _forget(app: Flask, statements: Iterable[sa.Executable]) -> Callable[[str], object]:
    """Let the index forget some of what a page depends on, or all of it."""
    purge = _purge(app)

    def forget(path: str) -> None:
        purge(path)
        with (
            app.app_context(),
            db.engine.connect().execution_options(**INTERNAL_OPTIONS) as connection,
        ):
            for statement in statements:
                connection.execute(statement, {"path": path})
            connection.commit()

    return forget


def measured(
    ways: list[Contender], price: Callable[[Callable[[], object]], float], rounds: int
) -> Prices:
    """The median price of each page in each way, all in turn, and that of what comes after it."""
    costs: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, path in PAGES.items():
            for way in ways:
                way.prepare(path)
                visit = Visit(way.app, path)
                costs.setdefault((name, way.name), []).append(price(visit.read_page))
                later = price(visit.end)
                if way.name == "registering":
                    costs.setdefault((name, AFTER), []).append(later)
    names = [*(way.name for way in ways), AFTER]
    return {page: {name: median(costs[page, name]) for name in names} for page in PAGES}


def count_instructions(place: Path) -> None:
    """Count instructions, in a process that callgrind runs, and print them as JSON."""
    ways = warm(place)
    cost_meter.start_counting()
    json.dump(measured(ways, cost_meter.instructions, COUNTED), sys.stdout)


def warm(place: Path) -> list[Contender]:
    """All ways, each asked for each page until nothing is done for the first time."""
    ways = list(contenders(place))
    for way in ways:
        for path in PAGES.values():
            for _ in range(WARM):
                way.check(path)
    return ways


def report(title: str, unit: float, prices: Prices) -> None:
    """Print the prices of each page, and how they stand to one another."""
    names = list(prices["home"])
    print(f"\n{title:26}" + "".join(f"{name:>16}" for name in names))
    for name, row in prices.items():
        print(f"{name:26}" + "".join(f"{row[way] / unit:16.2f}" for way in names))
    for way, base, goal in GOALS:
        ratios = {name: row[way] / row[base] for name, row in prices.items()}
        text = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
        print(f"{way} ÷ {base}: {text}; the goal is {goal:.2f} or less.")


def main() -> None:
    """Measure both ways of pricing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-callgrind", action="store_true")
    parser.add_argument("--counted", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counted:
        count_instructions(options.counted)
        return
    with apps.folder() as place:
        apps.filled(place, Volume(posts=1000))
        ways = warm(place)
        report("ms of CPU", 1000, measured(ways, cost_meter.cpu, options.rounds))
        apps.close(*(way.app for way in ways))
        if options.no_callgrind or not cost_meter.has_callgrind():
            print("Instructions are not counted: that takes valgrind.")
            return
        with apps.folder() as counts:
            counts_by_name = cost_meter.below_callgrind([__file__, "--counted", str(place)], counts)
        prices: Any = json.loads(counts_by_name)
        report("millions of instructions", 1e6, prices)


if __name__ == "__main__":
    main()
