"""Processes are killed wherever they are: nothing is lost, and readers see the new page soon after.

`KILLS=1000 pytest tests/live/test_crash.py` kills as many processes, at every point of what a process
of the site does; `CRASHES=200` as many editors beside a running server, and a server for each three.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.depth import CRASHES, KILLS

from . import crash_points
from .crash_runner import Round
from .crash_site import WRITES
from .crashing_editor import STEPS
from .gunicorn import environment
from .programs import ROOT, Running, free_port, listens, running_python
from .run_folder import RUN

pytestmark = [pytest.mark.live, pytest.mark.slow]

SHARES = {"sqlite": 0.85, "postgresql": 0.15}
"""Of all kills; each is as good as the other, but one costs twice as much."""

RESTARTS = CRASHES // 3
SOON = 3.0
"""Seconds: the relay asks twenty times a second, and this machine may be busy."""

TRIES = 3
"""A signal takes a moment to arrive, in which a write may begin that then stands still as well."""

LEASE = 2.0
"""Seconds for which nobody else sends what a dead process had claimed."""


@dataclass(slots=True)
class House:
    """A site's folder, the server that runs on it, and the editors beside it."""

    folder: Path
    port: int
    editors: subprocess.Popen[str]
    titles: Iterator[str] = field(default_factory=lambda: (f"Title-{n}." for n in count(1)))

    def edit(self, server: Running, step: str) -> str:
        """Stop the server, let an editor die after a step; return the title that was committed."""
        title = next(self.titles)
        answers: list[str] = []
        while not answers or answers[-1] == "busy":
            assert len(answers) < TRIES
            os.killpg(server.process.pid, signal.SIGCONT)
            self.halt(server)
            answers.append(self.ask(title, step))
        assert answers[-1] == str(int(signal.SIGKILL))
        return title

    def ask(self, title: str, step: str) -> str:
        """Send the editors a line and read theirs."""
        assert self.editors.stdin is not None
        assert self.editors.stdout is not None
        self.editors.stdin.write(f"{title} {step}\n")
        self.editors.stdin.flush()
        return self.editors.stdout.readline().strip()

    def load_page(self) -> tuple[str, bool]:
        """The front page, and whether the gateway had it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            text: str = answer.read().decode()
            return text, "; hit" in answer.headers["Cache-Status"]

    def shows(self, title: str) -> bool:
        """Tell whether a reader sees a title."""
        return title in self.load_page()[0]

    def warm(self) -> None:
        """Ask until the gateway has the page."""
        until(lambda: self.load_page()[1], SOON)

    def halt(self, server: Running) -> None:
        """Stop the server where it stands, and seldom in the middle of a write."""
        group = server.process.pid

        def halted() -> bool:
            os.killpg(group, signal.SIGSTOP)
            if self.writable():
                return True
            os.killpg(group, signal.SIGCONT)
            return False

        until(halted, SOON)

    def writable(self) -> bool:
        """Tell whether nobody holds the database's write lock."""
        path = self.folder / "broadsheet.db"
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            database.execute("ROLLBACK")
            return True

    @contextmanager
    def server(self) -> Iterator[Running]:
        """Two workers of gunicorn, as an operator starts them."""
        with running_python(
            ["-m", "gunicorn", "wsgi:app"],
            port=self.port,
            log=self.folder / "gunicorn.log",
            env=environment(self.folder, settings(self.port)),
        ) as started:
            yield started


def settings(port: int) -> dict[str, str]:
    """What the server and the editors have in common."""
    return {"FLASK_PORT": str(port), "FLASK_BIND": "127.0.0.1", "WEB_CONCURRENCY": "2"}


def until(is_done: Callable[[], bool], longest: float) -> None:
    """Ask again and again, so long at most."""
    began = time.monotonic()
    while not is_done():
        assert time.monotonic() - began < longest
        time.sleep(0.01)


@pytest.fixture
def house(tmp_path: Path, sampled: Path) -> Iterator[House]:
    """The sample publication, with editors at their desks and no server yet."""
    shutil.copy(sampled, tmp_path / "broadsheet.db")
    port = free_port()
    editors = RUN.start(
        [sys.executable, "-m", f"{__package__}.crashing_editor"],
        cwd=ROOT,
        env=environment(tmp_path, settings(port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with editors:
        assert editors.stdout is not None
        assert editors.stdout.readline() == "ready\n"
        yield House(folder=tmp_path, port=port, editors=editors)
        editors.kill()


@pytest.mark.timeout(60 + 5 * CRASHES)
def test_readers_see_what_a_dead_editor_had_committed(house: House) -> None:
    """Wherever his process was killed, and from then on nobody sees the old page."""
    with house.server() as server:
        for step in islice(cycle(STEPS), CRASHES):
            house.warm()
            title = house.edit(server, step)  # it stands still, or its relay would be first
            os.killpg(server.process.pid, signal.SIGCONT)
            until(partial(house.shows, title), SOON + LEASE)
            assert all(house.shows(title) for _ in range(5))


@pytest.mark.timeout(60 + 20 * RESTARTS)
def test_after_a_restart_no_reader_sees_the_old_page(house: House) -> None:
    """The server dies together with the editor; its first answer is already the new page."""
    for step in islice(cycle(("committed", "claimed", "settled", "called")), RESTARTS):
        with house.server() as server:
            house.warm()
            title = house.edit(server, step)
            os.killpg(server.process.pid, signal.SIGKILL)
        until(lambda: not listens(house.port), SOON)
        with house.server():
            assert all(house.shows(title) for _ in range(5))


def rounds(kills: int) -> Iterator[Round]:
    """How each process dies: at each step in turn, at any of its points or some time after it."""
    chance, number = Random(7), 0
    writes = (*WRITES, "a body", "a body", "a link")  # an editor seldom touches every page
    while kills > 0:
        starts = 2 * (number % 6 >= 4)
        yield Round(
            number=number,
            write=chance.choice(writes),
            step=crash_points.STEPS[number % len(crash_points.STEPS)],
            share=chance.random(),
            after=chance.randrange(800) if chance.random() < 0.3 else None,
            survivor=not starts,
            starts=starts,
        )
        number += 1
        kills -= 1 + starts


@contextmanager
def killer(folder: Path, database: str) -> Iterator[Callable[[Round], dict[str, Any]]]:
    """A site whose processes are killed, round by round; what was found comes back."""
    with (
        (folder / "log").open("w") as log,
        RUN.start(
            [sys.executable, "-m", f"{__package__}.crash_runner", str(folder), database],
            cwd=ROOT,
            env=environment(folder, {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as started,
    ):
        assert started.stdin is not None
        assert started.stdout is not None
        questions, replies = started.stdin, started.stdout

        def play(what: Round) -> dict[str, Any]:
            questions.write(f"{json.dumps(asdict(what))}\n")
            questions.flush()
            line = replies.readline()
            assert line, (folder / "log").read_text()[-4000:]
            report: dict[str, Any] = json.loads(line)
            return report

        try:
            assert replies.readline() == "ready\n", (folder / "log").read_text()[-4000:]
            yield play
        finally:
            os.killpg(started.pid, signal.SIGKILL)


@pytest.fixture(params=SHARES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated database of each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    shutil.copy(request.getfixturevalue("migrated"), tmp_path / "broadsheet.db")
    return f"sqlite:///{tmp_path / 'broadsheet.db'}"


@pytest.mark.timeout(120 + KILLS)
def test_wherever_a_process_is_killed_nothing_is_lost(database: str, tmp_path: Path) -> None:
    """What was committed stands, edges hear of it, and the store is sound, whole, fresh and kept."""
    died, incarnations, killed = Counter[str](), set[int](), 0
    share = SHARES[database.partition(":")[0]]
    with killer(tmp_path, database) as play:
        for what in rounds(int(KILLS * share)):
            report = play(what)
            assert (report["wrong"], report["killed"]) == ([], 1 + what.starts), (what, report)
            killed += report["killed"]
            died[report["step"]] += 1
            incarnations.add(report["incarnation"])
    assert killed >= int(KILLS * share)
    assert len(incarnations) == 1, "the store should survive, not merely be thrown away"
    fair = sum(died.values()) // len(crash_points.STEPS)
    assert min(died[step] for step in crash_points.STEPS) >= fair // 2, died
