"""Group commit: registrations that wait together share a transaction, and each is on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.edge.pages import RegistrationResult
from app.edge.pages.group_commit import Registrar
from app.edge.pages.wal import empty_large_log, log_size

from ..purge.conftest import connect

note = sa.Table("note", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database in a file with one table."""
    engine = connect(f"sqlite:///{tmp_path / 'notes.db'}")
    with engine.begin() as connection:
        note.create(connection)
    yield engine
    engine.dispose()


def ids(engine: Engine) -> list[int]:
    """Return the committed ids."""
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(note.c.id).order_by(note.c.id)))


def insert(number: int) -> Any:
    """Return a registration that writes a row."""

    def run(connection: Connection) -> RegistrationResult:
        connection.execute(sa.insert(note).values(id=number))
        return RegistrationResult.REGISTERED

    return run


def together(registrar: Registrar, registrations: list[Any]) -> list[Any]:
    """Run each registration in a thread; all of them wait while the first one runs."""
    entered, release = threading.Event(), threading.Event()
    outcomes: list[Any] = [None] * len(registrations)

    def first(_connection: Connection) -> RegistrationResult:
        entered.set()
        assert release.wait(5)
        return RegistrationResult.REGISTERED

    def run(number: int) -> None:
        try:
            outcomes[number] = registrar.register(registrations[number])
        except Exception as error:  # noqa: BLE001 - the outcome is what the test asks for
            outcomes[number] = error

    leader = threading.Thread(target=registrar.register, args=(first,))
    leader.start()
    assert entered.wait(5)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(registrations))]
    for thread in threads:
        thread.start()
    while len(registrar._queue) < len(registrations):
        pass
    release.set()
    for thread in (leader, *threads):
        thread.join()
    return outcomes


def test_waiting_registrations_share_one_transaction(engine: Engine) -> None:
    """Ten registrations need one commit."""
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    assert (
        together(Registrar(engine), [insert(n) for n in range(10)])
        == [RegistrationResult.REGISTERED] * 10
    )
    assert len(commits) == 2  # one for the first registration, one for all others
    assert ids(engine) == list(range(10))


def test_a_failed_registration_rolls_back_only_its_own_writes(engine: Engine) -> None:
    """The others of its group are registered."""

    def fail(connection: Connection) -> RegistrationResult:
        connection.execute(sa.insert(note).values(id=7))
        raise ValueError("it failed")

    outcomes = together(Registrar(engine), [insert(1), fail, insert(2)])
    assert [str(outcome) for outcome in outcomes] == ["registered", "it failed", "registered"]
    assert ids(engine) == [1, 2]


def test_a_transaction_that_cannot_begin_fails_for_all(engine: Engine) -> None:
    """No registration of the group counts as registered."""
    with engine.connect() as other:
        other.exec_driver_sql("UPDATE note SET id = id")
        with pytest.raises(sa.exc.OperationalError):
            Registrar(engine).register(insert(1))
    assert ids(engine) == []


def test_a_large_log_is_truncated_while_no_reader_blocks_it(engine: Engine) -> None:
    """With a reader, the truncation gives up after its timeout."""
    with engine.begin() as connection:
        connection.execute(sa.insert(note), [{"id": number} for number in range(20_000)])
    assert log_size(engine) > 0
    with engine.connect() as reader:
        reader.execute(sa.select(note.c.id).limit(1)).all()
        with engine.begin() as writer:
            writer.execute(sa.insert(note).values(id=20_001))
        assert not empty_large_log(engine, 0)
    assert empty_large_log(engine, 0)
    assert log_size(engine) == 0
