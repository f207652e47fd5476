"""Several processes at once: one owner, one account per invitation, no lost failure."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.config.parsers import database_url
from app.extensions import db
from app.publishing.models import Role, Throttle, User
from app.publishing.permissions import SYSTEM
from app.studio import accounts, setup
from tests.conftest import open_app
from tests.live.forked_python import start_python
from tests.live.gunicorn import environment
from tests.live.programs import end

from .people import add_person
from .racing import FAILURES
from .test_setup import now

Race = Callable[..., list[str]]


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)],
)
def settings(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Mapping[str, str]:
    """The settings of an empty site on each database."""
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "broadsheet.db")
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'broadsheet.db'}"}
    return {"DATABASE_URL": request.getfixturevalue("postgres_url")}


@pytest.fixture
def site(settings: Mapping[str, str], tmp_path: Path) -> Iterator[Flask]:
    """The site in this process."""
    yield from open_app(tmp_path, DATABASE_URL=database_url(settings["DATABASE_URL"]))


@pytest.fixture
def race(settings: Mapping[str, str], tmp_path: Path) -> Race:
    """Run a task in several processes that begin at the same moment; return their lines."""

    def run(task: str, count: int, argument: str) -> list[str]:
        db.session.remove()
        gate, ready = tmp_path / "gate", tmp_path / "ready"
        gate.touch()
        if not ready.exists():
            os.mkfifo(ready)
        env = environment(tmp_path, settings)
        with ExitStack() as stack:
            lock = stack.enter_context(gate.open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            logs = [tmp_path / f"{task}-{number}.log" for number in range(count)]
            processes = []
            for number, log in enumerate(logs):
                arguments = (task, str(number), str(gate), str(ready), argument)
                words = ["-m", "tests.studio.racing", *arguments]
                process = start_python(words, env=env, log=log)
                stack.callback(end, process, signal.SIGKILL)
                processes.append(process)
            ready_count = 0
            while ready_count < count:  # a pipe is at its end whenever no process has it open
                ready_count += len(ready.read_text())
            fcntl.flock(lock, fcntl.LOCK_UN)
            for process, log in zip(processes, logs, strict=True):
                assert process.wait(60) == 0, log.read_text()
        return [log.read_text().splitlines()[-1] for log in logs]

    return run


def test_of_twelve_processes_one_makes_the_owner(site: Flask, race: Race) -> None:
    """The others are refused like a request after the set-up."""
    token = str(setup.find_setup_url()).rpartition("/")[2]
    lines = race("set_up", 12, token)
    assert sorted(line.split()[0] for line in lines) == ["done"] + ["refused"] * 11
    assert {line for line in lines if "refused" in line} == {"refused Missing"}
    assert db.session.scalars(sa.select(User.role)).all() == [Role.OWNER]
    assert setup.find_setup_url() is None


def test_an_invitation_is_accepted_once(site: Flask, race: Race) -> None:
    """Though several processes have read it as unused."""
    token = accounts.invite("new@example.com", Role.EDITOR, now=now(), actor=SYSTEM)
    lines = race("accept", 6, token)
    assert sorted(line.split()[0] for line in lines) == ["done"] + ["refused"] * 5
    assert db.session.scalars(sa.select(User.email)).all() == ["new@example.com"]


def test_no_failure_is_lost(site: Flask, race: Race) -> None:
    """Six processes count failures of one account at once."""
    race("count", 6, "203.0.113.0/24")
    assert set(db.session.scalars(sa.select(Throttle.failures))) == {6 * FAILURES}


def test_two_owners_can_not_demote_each_other(site: Flask, race: Race) -> None:
    """The first one to be saved wins, and the other owner stays."""
    owners = [add_person(email=f"{name}@example.com").user_id for name in ("a", "b")]
    lines = race("demote", 2, ",".join(map(str, owners)))
    assert sorted(line.split()[0] for line in lines) == ["done", "refused"]
    roles = db.session.scalars(sa.select(User.role)).all()
    assert sorted(roles) == [Role.OWNER, Role.WRITER]
