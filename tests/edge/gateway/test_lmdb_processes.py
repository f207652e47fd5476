from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import struct
import threading
import time
from datetime import timedelta
from multiprocessing import sharedctypes
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.base import BodyInfo, SaveResult
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.depth import STORE_KILLS, examples, share
from tests.edge.gateway.child_processes import finish, run, running, start
from tests.edge.gateway.store_contract import BODIES, KEY, PAGE, stored
from tests.edge.gateway.test_lmdb_store import save, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.edge.gateway.store.lmdb.transaction import WriteTransaction

KEYS = [b"page %d" % number for number in range(4)]
_NUMBER = struct.Struct("<Q")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the path of a store that does not exist yet."""
    return tmp_path / "cache"


class World:
    """A site whose pages are numbers, in shared memory of all processes."""

    def __init__(self) -> None:
        #: What each page shows now, and what it showed at least when its last purge returned.
        self.truth = sharedctypes.RawArray("Q", len(KEYS))
        self.floor = sharedctypes.RawArray("Q", len(KEYS))
        self.counts = sharedctypes.RawArray("Q", 4)  # hits, saved, refused, purges
        self.over = sharedctypes.RawValue("b", 0)


def fetch(store: LmdbStore, world: World, seed: int) -> None:
    """Read pages through the cache like a gateway, and check that no purged version is read."""
    chance = random.Random(seed)
    while not world.over.value:
        at = chance.randrange(len(KEYS))
        floor = world.floor[at]
        body = served(store, KEYS[at])
        if body is not None:
            world.counts[0] += 1
            (variant,) = _NUMBER.unpack_from(body)
            assert variant >= floor, f"page {at} showed {variant} after {floor} was purged"
            assert body == _NUMBER.pack(variant) * 500
            continue
        token = store.purge_token()
        now = world.truth[at]
        if chance.random() < 0.3:
            time.sleep(0.001)  # a slow render, so that purges overtake it
        response = stored(bodies=(BodyInfo(coding="identity", length=4000),))
        how = store.save(KEYS[at], response, {"identity": _NUMBER.pack(now) * 500}, token=token)
        world.counts[1] += how is SaveResult.SAVED
        world.counts[2] += how is SaveResult.PURGED_SINCE_FETCH


def change(store: LmdbStore, world: World, turns: int, seed: int) -> None:
    """Change pages and purge them; the only writer, so that no increment is lost."""
    chance = random.Random(seed)
    for _ in range(turns):
        at = chance.randrange(len(KEYS))
        world.truth[at] += 1
        now = world.truth[at]
        if chance.random() < 0.02:
            store.purge_all()
        else:
            store.purge(KEYS[at])
        world.floor[at] = now
        world.counts[3] += 1
        time.sleep(0.0005)
    world.over.value = 1


def throw_away(store: LmdbStore, turns: int) -> None:
    """Discard the store repeatedly, like a purge that can't be written."""
    for _ in range(turns):
        assert store._manager.discard("test")
        time.sleep(0.01)


@pytest.mark.parametrize("discards", [0, 60], ids=["purges", "purges-and-discards"])
def test_no_process_serves_what_was_purged(folder: Path, discards: int) -> None:
    """Readers, renderers and purgers run in four processes: no purged version is served."""
    world = World()

    def within(work: Callable[[LmdbStore], None]) -> Callable[[], None]:
        def go() -> None:
            store = LmdbStore(folder, max_bytes=4 << 20)
            work(store)
            store.close()

        return go

    works = [
        within(lambda store: fetch(store, world, 1)),
        within(lambda store: fetch(store, world, 2)),
        within(lambda store: change(store, world, 600, 3)),
        within(lambda store: throw_away(store, discards)),
    ]
    with running(*works) as pids:
        while pids:
            assert finish(pids[0]) == 0
            pids.pop(0)
    hits, saved, rejected, purges = world.counts
    assert purges == 600
    assert min(hits, saved, rejected) > 10


def test_a_purge_is_seen_by_every_process_at_once(folder: Path) -> None:
    """A process with a decoded entry in memory still checks LMDB."""
    ask, answer = os.pipe(), os.pipe()

    def other() -> None:
        store = LmdbStore(folder)
        while os.read(ask[0], 1) == b"?":
            os.write(answer[1], b"1" if served(store, KEY) == PAGE else b"0")

    store = LmdbStore(folder)
    save(store, KEY, PAGE)
    observations = []
    with running(other):
        for turn in range(6):
            if turn == 2:
                store.purge(KEY)
            if turn == 4:
                save(store, KEY, PAGE)
            os.write(ask[1], b"?")
            observations.append(os.read(answer[0], 1))
    assert observations == [b"1", b"1", b"0", b"0", b"1", b"1"]
    store.close()


class Other:
    """Another process, which discards the store and fills a new one on request."""

    def __init__(self, folder: Path) -> None:
        self._ask, self._answer = os.pipe(), os.pipe()
        self._folder = folder

    def __call__(self) -> None:
        """Wait for the request."""
        store = LmdbStore(self._folder)
        while os.read(self._ask[0], 1):
            assert store._manager.discard("test")
            for number in range(50):
                save(store, b"%d" % number, bytes(20_000))
            save(store, KEY, b"new")
            os.write(self._answer[1], b"!")

    def replace_the_store(self) -> None:
        """Request the replacement, and wait until it is done."""
        os.write(self._ask[1], b"?")
        os.read(self._answer[0], 1)


def test_a_store_that_was_deleted_by_hand_is_left_soon(folder: Path) -> None:
    """The process notices it within the recheck interval."""
    store = LmdbStore(folder, recheck=timedelta(milliseconds=50))
    save(store, KEY, PAGE)
    assert served(store, KEY) == PAGE
    shutil.rmtree(folder)
    end = time.monotonic() + 10
    while served(store, KEY) is not None:
        assert time.monotonic() < end
    store.close()


def test_a_store_that_another_process_replaced_is_left_at_once(folder: Path) -> None:
    """The old files are still mapped and readable, but they are not read."""
    other = Other(folder)
    with running(other):
        store = LmdbStore(folder, recheck=timedelta(seconds=0.2))
        save(store, KEY, PAGE)
        assert served(store, KEY) == PAGE
        other.replace_the_store()
        assert served(store, KEY) == b"new"
        store.close()


def test_a_purge_that_went_to_a_replaced_store_is_repeated(folder: Path) -> None:
    """The store is replaced while the purge is being written: the new one is purged as well."""
    other = Other(folder)
    with running(other):
        store = LmdbStore(folder)
        save(store, KEY, PAGE)
        turns = []

        def purge(write_transaction: WriteTransaction) -> int:
            turns.append(write_transaction)
            if len(turns) == 1:
                other.replace_the_store()
            return write_transaction.purge(KEY)

        assert store._purge(purge) == 2
        assert len(turns) == 2
        assert served(store, KEY) is None
        store.close()


def churn(folder: Path, seed: int, report: int) -> None:
    """Save and purge in a loop, and write each step to a pipe before and after it."""
    chance = random.Random(seed)
    store = LmdbStore(folder, max_bytes=1 << 20)
    while True:
        at = chance.randrange(40)
        key = b"page %d" % at
        if chance.random() < 0.3:
            store.purge(key)
            os.write(report, b"purged %d\n" % at)
        else:
            os.write(report, b"saving %d\n" % at)
            save(store, key, key * chance.randrange(1, 4000))


def last_words(report: int) -> dict[int, bytes]:
    """Return the last reported step of each page."""
    os.set_blocking(report, False)
    output = b""
    while True:
        try:
            more = os.read(report, 1 << 20)
        except BlockingIOError:
            break
        if not more:
            break
        output += more
    lines = (line.split() for line in output.splitlines())
    return {int(page): verb for verb, page in lines}


def check_after_kill(folder: Path, words: dict[int, bytes]) -> int:
    """Open the store of a killed process: bodies are right, and purged pages are absent."""
    store = LmdbStore(folder, max_bytes=1 << 20)
    there = 0
    for at in range(40):
        key = b"page %d" % at
        body = served(store, key)
        assert body is None or body == key * (len(body) // len(key))
        assert body is None or words.get(at) != b"purged"
        there += body is not None
    assert save(store, b"alive", b"alive") is SaveResult.SAVED
    store.close()
    return there


ROUNDS = [examples(60)]
MORE = [n for n in (STORE_KILLS,) if n not in ROUNDS]
SLOWLY = [pytest.mark.slow, pytest.mark.timeout(6000)]


@pytest.mark.parametrize("rounds", [*ROUNDS, *(pytest.param(n, marks=SLOWLY) for n in MORE)])
def test_a_killed_process_leaves_a_sound_store(folder: Path, rounds: int) -> None:
    """After SIGKILL at any moment no damaged page is served, and no reported purge is lost."""
    chance = random.Random(rounds)
    words: dict[int, bytes] = {}
    survived = reported = 0
    for seed in range(rounds):
        report = os.pipe()
        pid = start(lambda seed=seed, report=report: churn(folder, seed, report[1]))  # type: ignore[misc] # defaults bind
        os.close(report[1])
        time.sleep(chance.uniform(0.004, 0.03))
        os.kill(pid, signal.SIGKILL)
        assert finish(pid) == -signal.SIGKILL
        words |= last_words(report[0])
        reported += len(words)
        os.close(report[0])
        survived += check_after_kill(folder, words) > 0
    assert reported > rounds
    assert survived > rounds * 0.8, "the store should survive, not merely be thrown away"


def test_a_killed_writer_does_not_stop_the_others(folder: Path) -> None:
    """The write lock of a killed process is taken over, and its reader slots are freed."""
    store = LmdbStore(folder, max_bytes=1 << 20)
    save(store, KEY, PAGE)
    for seed in range(share(15)):
        report = os.pipe()
        pid = start(lambda seed=seed, report=report: churn(folder, seed, report[1]))  # type: ignore[misc] # defaults bind
        os.read(report[0], 1)
        assert save(store, b"mine", b"mine") is SaveResult.SAVED
        os.kill(pid, signal.SIGKILL)
        finish(pid)
        assert store.purge(b"mine") in {0, 1}  # 0 when it was evicted
        assert save(store, KEY, PAGE) is SaveResult.SAVED
        assert served(store, KEY) == PAGE
        for end in report:
            os.close(end)
    store.close()


def test_a_store_may_be_carried_across_a_fork(folder: Path) -> None:
    """A server that uses the store before it forks its workers shares it with them."""
    store = LmdbStore(folder)
    save(store, KEY, PAGE)
    assert served(store, KEY) == PAGE

    def child() -> None:
        assert served(store, KEY) == PAGE
        assert save(store, b"child", b"c") is SaveResult.SAVED
        assert store.purge(KEY) == 1

    assert run(child) == 0
    assert served(store, KEY) is None
    assert served(store, b"child") == b"c"
    store.close()


def test_a_fork_that_python_does_not_see_is_survived(folder: Path) -> None:
    """A server in C forks without Python's hooks: the child reopens the store."""
    store = LmdbStore(folder)
    save(store, KEY, PAGE)
    pid = ctypes.PyDLL(None).fork()
    if not pid:
        good = served(store, KEY) == PAGE and store.purge(KEY) == 1
        os._exit(0 if good else 1)
    assert finish(pid) == 0
    assert served(store, KEY) is None
    assert save(store, KEY, PAGE) is SaveResult.SAVED
    store.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_threads_read_on_while_others_fork(folder: Path) -> None:
    """A fork closes the store for a moment; a reader gets the page or a miss, never an error."""
    store = LmdbStore(folder)
    save(store, KEY, PAGE)
    stop = threading.Event()
    bodies: set[bytes | None] = set()

    def read() -> None:
        while not stop.is_set():
            bodies.add(served(store, KEY))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    statuses = {run(lambda: store.purge(b"child %d" % os.getpid())) for _ in range(share(30))}
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == {0}
    assert PAGE in bodies
    assert bodies <= {PAGE, None}
    assert served(store, KEY) == PAGE
    store.close()


def test_two_processes_make_the_store_at_once(folder: Path) -> None:
    """Many workers start together on an empty or damaged folder, and share one store."""
    go = os.pipe()

    def work() -> None:
        os.read(go[0], 1)
        store = LmdbStore(folder)
        assert save(store, b"%d" % os.getpid(), PAGE) is SaveResult.SAVED

    for turn in range(share(8)):
        if turn % 2:
            (folder / "store" / "data.mdb").write_bytes(b"garbage" * 9999)
        with running(*[work] * 4) as live_pids:
            pids = list(live_pids)
            os.write(go[1], b"4444")
            while live_pids:
                assert finish(live_pids[0]) == 0
                live_pids.pop(0)
        store = LmdbStore(folder)
        assert [served(store, b"%d" % pid) for pid in pids] == [PAGE] * 4
        store.close()


def test_a_response_of_another_incarnation_is_refused(folder: Path) -> None:
    """A response fetched before the store was discarded is not saved in the next one."""
    store = LmdbStore(folder)
    token = store.purge_token()
    assert store._manager.discard("test")
    assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
    store.close()
