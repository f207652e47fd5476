"""The walk: step by step a write, a look at every page that is kept, and some readers' visits.

A step is data, the name of a door and the number that its dice begin with. So a seed gives the same
walks again, and steps of a walk that fails can be left out for as long as it fails.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from random import Random
from typing import Any

import psycopg
import sqlalchemy as sa

from app.extensions import db
from app.publishing.errors import PublishingError

from .action_writes import VERBS
from .caches import Edge
from .fresh_renders import Answer
from .purge_statistics import Tally
from .site_pair import Newsroom
from .sql_writes import STATEMENTS
from .template_releases import RELEASES
from .urls import ADDRESSES
from .write_context import Desk, Door

LENGTH = 150
VISITS = 2
TRIES = 150
WEIGHTS: dict[Door, int] = {**VERBS, **STATEMENTS, **RELEASES}
DOORS = {door.__name__: door for door in WEIGHTS}
REFUSED = (PublishingError, sa.exc.IntegrityError, sqlite3.IntegrityError, psycopg.IntegrityError)
"""What a write may meet that the site's rules or the database's forbid; nothing is written then."""


@dataclass(frozen=True, slots=True)
class Step:
    """One write: a door, and the number that decides what is written."""

    door: str
    number: int

    @classmethod
    def draw(cls, dice: Random) -> Step:
        """Any step."""
        (door,) = dice.choices(list(DOORS), weights=list(WEIGHTS.values()))
        return cls(door, dice.randrange(2**16))


@dataclass(slots=True)
class Walk:
    """A walk from the beginning, with what the edge is known to keep."""

    newsroom: Newsroom
    edge: Edge
    tally: Tally = field(default_factory=Tally)
    held_pages: dict[str, Answer] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Write something; no page that is kept may be old afterwards. Then readers come."""
        dice = Random(step.number)
        self.newsroom.choose_writer(dice)
        self.newsroom.pass_time(timedelta(hours=1))
        self.write(DOORS[step.door], Desk(newsroom=self.newsroom, dice=dice))
        self.edge.settle()
        self.tally.steps[step.door] += 1
        with self.newsroom.fresh.moment():
            self.look(step.door)
            for path in dice.sample(ADDRESSES, VISITS):
                self.visit(path)

    def write(self, door: Door, desk: Desk) -> None:
        """Let somebody write, if the site's rules allow it."""
        with self.newsroom.writer.app_context():
            try:
                door(desk)
            except REFUSED:
                db.session.rollback()
            db.session.remove()

    def look(self, door: str) -> None:
        """Compare every page that the edge keeps with what it must be now."""
        for path, answer in list(self.held_pages.items()):
            stored_answer, fresh = self.edge.load(path), self.newsroom.fresh.page(path)
            if stored_answer is None:
                del self.held_pages[path]
                if answer.status < HTTPStatus.BAD_REQUEST:  # pages that are not there go in groups
                    self.tally.note(door, path, has_changed=fresh != answer)
            else:
                assert stored_answer == fresh, (
                    f"{path} is old after {door}: {stored_answer} for {fresh}"
                )

    def visit(self, path: str) -> None:
        """A reader comes; what they get is kept from then on.

        What is made for them in this very moment is fresh, anything else is compared.
        """
        answer = self.newsroom.fresh.learn(path, lambda: self.edge.visit(path))
        fresh = self.newsroom.fresh.page(path)
        assert answer == fresh, f"{path} shows {answer} for {fresh}"
        if self.edge.load(path) is not None:
            self.held_pages[path] = answer

    def end(self) -> None:
        """Make every page in full, whatever was remembered of it, and compare it with what is kept."""
        for path in ADDRESSES:
            stored_answer, rendered = self.edge.load(path), self.newsroom.fresh.render(path)
            assert stored_answer is None or stored_answer == rendered, (
                f"{path} is old at the end: {stored_answer} for {rendered}"
            )


def prove(newsroom: Newsroom, edge: Edge, *, count: int, seed: int) -> Tally:
    """Take so many steps; what fails is told with the seed, and with as few steps as show it."""
    tally = Tally()

    def run_steps(steps: Sequence[Step], tally: Tally) -> Exception | None:
        newsroom.begin()
        edge.begin()
        walk = Walk(newsroom, edge, tally)
        try:
            for step in steps:
                walk.take(step)
            walk.end()
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is shown with fewer steps
            return failure
        return None

    dice = Random(seed)
    steps = [Step.draw(dice) for _ in range(count)]
    for begin in range(0, count, LENGTH):
        walk = steps[begin : begin + LENGTH]
        if run_steps(walk, tally) is not None:
            short = shortened(walk, lambda fewer: run_steps(fewer, Tally()) is not None)
            message = f"SEED={seed} STEPS={count} shows it again, and so do these steps: {short}"
            failure = run_steps(short, Tally())
            raise AssertionError(f"{message}: {failure}") from failure
    return tally


def shortened(steps: Sequence[Any], fails: Callable[[Sequence[Any]], bool]) -> Sequence[Any]:
    """As few of the steps as still fail, found in a bounded number of tries."""
    size, tries = len(steps) // 2, 0
    while size and tries < TRIES:
        at = 0
        while at < len(steps) and tries < TRIES:
            fewer, tries = [*steps[:at], *steps[at + size :]], tries + 1
            if fails(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps
