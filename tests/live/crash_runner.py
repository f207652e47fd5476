"""Processes of a site that are killed: `python -m tests.live.crash_runner FOLDER DATABASE_URL`.

It is a server that forks: all is imported and warm, and nothing is open. It reads a round as JSON a
line, lets a child live until it is killed in it, and answers with what another process found.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.extensions import db

from . import crash_points
from .crash_checks import Before, Verdict, judge
from .crash_site import PATHS, ROUND, Mortal, Page, ended

FIRST = 1_000_000
STARTING = Counter(start=20)
"""So many points has the start of a process that has something to do, or a few more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How a process is killed: at a share of a step's points, or some microseconds after it.

    A `survivor` has served all the time and judges; else a new process does, and so many `starts`
    before it are killed themselves.
    """

    number: int
    write: str
    step: str = ""
    share: float = 0.0
    after: int | None = None
    survivor: bool = False
    starts: int = 0


@dataclass(slots=True)
class Told:
    """How many processes were killed, and the points that the first one had told of."""

    killed: int
    points: list[str]

    @property
    def step(self) -> str:
        """What it was doing when it died."""
        return self.points[-1].partition(" ")[0] if self.points else "start"


@dataclass(slots=True)
class Killer:
    """Forks, kills, and lets be judged."""

    mortal: Mortal
    known_points: dict[str, Counter[str]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    survivor: _Judge | None = None

    def play(self, round_: Round) -> dict[str, Any]:
        """One round; a write that is new is lived to its end first, to know its points."""
        if round_.write not in self.known_points:
            trace, verdict = self._round(Round(number=FIRST + round_.number, write=round_.write))
            assert (trace.killed, verdict.wrong, verdict.is_written) == (0, [], True), (
                trace,
                verdict,
            )
            self.known_points[round_.write] = Counter(
                point.partition(" ")[0] for point in trace.points
            )
        trace, verdict = self._round(round_)
        report = asdict(verdict) | {
            "killed": trace.killed,
            "step": trace.step,
            "points": trace.points[-3:],
        }
        return {name: value for name, value in report.items() if name != "pages"}

    def _round(self, round_: Round) -> tuple[Told, Verdict]:
        mortal = self.mortal
        mortal.clock.set(mortal.clock.current + ROUND)
        purged = mortal.edge.purge_count()
        self._stand_by(survivor=round_.survivor)
        trace = self._killed(round_, lambda: mortal.live(round_.number, round_.write))
        committed = "commit committed" in trace.points
        for part in range(round_.starts):
            share = (round_.share + part / round_.starts) % 1
            start = Round(number=0, write="", share=share, step="start", after=round_.after)
            trace.killed += self._killed(start, lambda: mortal.ask("/"), is_started=False).killed
        before = Before(number=round_.number, committed=committed, pages=self.pages, purged=purged)
        judge = self.survivor or _Judge.born(mortal, survivor=False)
        verdict = judge.judge(before)
        if judge is not self.survivor:
            judge.end()
        self.pages = verdict.pages
        return trace, verdict

    def _stand_by(self, *, survivor: bool) -> None:
        """Have somebody who serves meanwhile, or nobody."""
        if self.survivor is not None and not survivor:
            self.survivor.end()
            self.survivor = None
        if survivor:
            self.survivor = self.survivor or _Judge.born(self.mortal, survivor=True)
            self.survivor.serve(self.mortal.clock.current)

    def _killed(
        self, round_: Round, live: Callable[[], object], *, is_started: bool = True
    ) -> Told:
        """Let a child live until it dies of its doom, or at the end of its life."""
        counts = self.known_points.get(round_.write, STARTING)
        number = 1 + int(round_.share * counts[round_.step]) if round_.step else 0
        doom = crash_points.Doom(step=round_.step, number=0 if round_.after is not None else number)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _live(
                self.mortal, crash_points.Path(pipe=writing, doom=doom), live, is_started=is_started
            )
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            points = follow_process(pipe, child, round_, number)
        return Told(killed=ended(child) == signal.SIGKILL, points=points)


def _live(
    mortal: Mortal, path: crash_points.Path, live: Callable[[], object], *, is_started: bool
) -> None:
    """The whole life of a child; who was to be killed and was not dies at its end."""
    try:
        if is_started:
            mortal.ask("/topics/maps")
        with mortal.site.app_context():
            crash_points.watch(db.engine, path.at)
        live()
    except BaseException as error:  # noqa: BLE001 - told to the parent, in place of a point
        os.write(path.pipe, f"failed {error!r}\n".encode())
        os._exit(os.EX_SOFTWARE)
    path.at("over", crash_points.END)
    if path.doom.step:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(os.EX_OK)


def follow_process(pipe: Any, child: int, round_: Round, number: int) -> list[str]:
    """Read what a child tells until it is silent; strike it some time after the point."""
    text, counts = b"", Counter[str]()
    while data := pipe.read(65536):
        text += data
        if round_.after is None:
            continue
        counts = Counter(line.partition(b" ")[0].decode() for line in text.splitlines())
        if counts[round_.step] >= number:
            _wait(round_.after)
            os.kill(child, signal.SIGKILL)
            text += pipe.read()
            break
    return text.decode().splitlines()


def _wait(microseconds: int) -> None:
    """Shorter than any sleep."""
    until = time.perf_counter() + microseconds / 1e6
    while time.perf_counter() < until:
        pass


@dataclass(slots=True)
class _Judge:
    """A process that looks at what another one has left; one that survives looks many times."""

    child: int
    line: Connection
    survivor: bool

    @classmethod
    def born(cls, mortal: Mortal, *, survivor: bool) -> _Judge:
        """Fork one."""
        ours, theirs = Pipe()
        child = os.fork()
        if not child:
            ours.close()
            _judge(mortal, theirs, survivor=survivor)
        theirs.close()
        return cls(child=child, line=ours, survivor=survivor)

    def serve(self, now: datetime) -> None:
        """Let it answer readers from an instant on, before anybody dies."""
        self.line.send(now)
        self.line.recv()

    def judge(self, before: Before) -> Verdict:
        """Hear its verdict."""
        self.line.send(before)
        verdict: Verdict = self.line.recv()
        return verdict

    def end(self) -> None:
        """Let it go."""
        self.line.send(None)
        self.line.close()
        assert ended(self.child) == 0


def _judge(mortal: Mortal, line: Connection, *, survivor: bool) -> None:
    """The whole life of a judge."""
    while (question := line.recv()) is not None:
        try:
            if isinstance(question, Before):
                line.send(judge(mortal, question, survivor=survivor))
            else:
                mortal.clock.set(question)
                line.send([mortal.ask(path)[0] for path in PATHS])
        except Exception as error:  # noqa: BLE001 - told to the parent
            line.send(Verdict(wrong=[f"the judge failed: {error!r}"]))
    os._exit(os.EX_OK)


def _warm(mortal: Mortal) -> dict[str, Page]:
    """Do once what children will do, so that every statement of theirs is compiled."""
    before = Before(number=0, committed=True, pages={p: mortal.truth(p) for p in PATHS}, purged=0)
    for number, write in enumerate(("a title", "every post")):
        mortal.live(number, write)
        verdict = judge(mortal, replace(before, number=number), survivor=True)
        assert verdict.wrong == []
        before = replace(before, pages=verdict.pages, purged=mortal.edge.purge_count())
        mortal.clock.set(mortal.clock.current + ROUND)
    return verdict.pages


def main(folder: str, database: str) -> None:
    """Serve the rounds until the line is closed."""
    mortal = Mortal.born(Path(folder), database)
    mortal.write_all()
    killer = Killer(mortal, pages=_warm(mortal))
    mortal.let_go()
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    gc.disable()  # it would touch every page of every child
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(killer.play(Round(**json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
