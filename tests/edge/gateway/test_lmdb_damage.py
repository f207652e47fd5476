from __future__ import annotations

import codecs
import os
import random
import resource
import shutil
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import lmdb
import pytest

from app.edge.gateway.store.base import SaveResult, StoreError
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.depth import examples
from tests.edge.gateway.child_processes import run, running
from tests.edge.gateway.store_contract import stored
from tests.edge.gateway.test_lmdb_store import save, served

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = [b"page %d" % number for number in range(60)]
BODIES = {key: key * (1 + 37 * number) for number, key in enumerate(KEYS)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the path of a store that does not exist yet."""
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    """Create a store with pages, some purged and some replaced, so that it has gaps."""
    store = LmdbStore(folder, max_bytes=4 << 20)
    for turn in range(2):
        for key in KEYS:
            assert save(store, key, BODIES[key]) is SaveResult.SAVED
            if not turn:
                store.purge(key)
    store.close()


def rights(folder: Path) -> list[bool]:
    """Return for each stored page whether its body is right; then write and read."""
    store = LmdbStore(folder, max_bytes=4 << 20)
    bodies = {key: served(store, key) for key in KEYS}
    assert save(store, b"new", b"new") is SaveResult.SAVED
    assert served(store, b"new") == b"new"
    for key in KEYS:
        store.purge(key)
        assert store.load(key) == ()
    store.close()
    return [body == BODIES[key] for key, body in bodies.items() if body is not None]


def use(folder: Path) -> None:
    """Use a damaged store, which must behave like a valid one, complete or empty."""
    assert all(rights(folder))


def use_whole(folder: Path) -> None:
    """Use a store in which nothing essential was damaged."""
    assert rights(folder) == [True] * len(KEYS)


def use_empty(folder: Path) -> None:
    """Use a damaged store that must be discarded."""
    assert rights(folder) == []


def truncate(name: str, *, keep: float) -> Callable[[Path], None]:
    """Cut a file."""

    def damage(folder: Path) -> None:
        path = folder / "store" / name
        os.truncate(path, int(path.stat().st_size * keep))

    return damage


def garbage(name: str, *, size: int = 300_000) -> Callable[[Path], None]:
    """Replace a file by random bytes."""

    def damage(folder: Path) -> None:
        (folder / "store" / name).write_bytes(random.Random(1).randbytes(size))

    return damage


def remove(name: str) -> Callable[[Path], None]:
    """Delete a file."""
    return lambda folder: (folder / "store" / name).unlink()


def identity(word: int, value: str) -> Callable[[Path], None]:
    """Change a word of the identity file."""

    def damage(folder: Path) -> None:
        path = folder / "store" / "identity"
        words = path.read_text().split(" ")
        words[word] = value
        path.write_text(" ".join(words))

    return damage


def foreign(folder: Path) -> None:
    """Put the LMDB file of another application there."""
    other = folder.parent / "other"
    with lmdb.open(str(other), map_size=4 << 20, max_dbs=9) as environment:
        pages = environment.open_db(b"pages", integerkey=True)
        with environment.begin(write=True) as transaction:
            for number in range(99):
                transaction.put(number.to_bytes(8, "little"), b"another's", db=pages)
    (other / "data.mdb").replace(folder / "store" / "data.mdb")


def as_file(folder: Path) -> None:
    """Put a file at the path of the store."""
    shutil.rmtree(folder / "store")
    (folder / "store").write_bytes(b"not a folder")


def folder_as_data(folder: Path) -> None:
    """Put a folder at the path of the data file."""
    (folder / "store" / "data.mdb").unlink()
    (folder / "store" / "data.mdb").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncate("data.mdb", keep=0), id="data-empty"),
        pytest.param(truncate("data.mdb", keep=0.001), id="data-within-the-first-page"),
        pytest.param(truncate("data.mdb", keep=0.02), id="data-some-pages"),
        pytest.param(truncate("data.mdb", keep=0.5), id="data-half"),
        pytest.param(garbage("data.mdb"), id="data-garbage"),
        pytest.param(foreign, id="data-of-another-application"),
        pytest.param(folder_as_data, id="data-a-folder"),
        pytest.param(remove("data.mdb"), id="data-gone"),
        pytest.param(remove("lock.mdb"), id="lock-gone"),
        pytest.param(truncate("lock.mdb", keep=0.01), id="lock-cut"),
        pytest.param(remove("visits"), id="visits-gone"),
        pytest.param(truncate("visits", keep=0.5), id="visits-cut"),
        pytest.param(remove("users"), id="users-gone"),
        pytest.param(remove("identity"), id="identity-gone"),
        pytest.param(truncate("identity", keep=0.5), id="identity-cut"),
        pytest.param(garbage("identity"), id="identity-garbage"),
        pytest.param(identity(1, "0"), id="another-format"),
        pytest.param(identity(1, "1"), id="the-format-with-other-field-names"),
        pytest.param(identity(2, "linux-big-8-65536"), id="another-platform"),
        pytest.param(identity(5, "an-earlier-boot"), id="another-boot"),
        pytest.param(as_file, id="a-file-in-its-place"),
    ],
)
def test_a_damaged_store_is_thrown_away(folder: Path, damage: Callable[[Path], None]) -> None:
    """A damaged or foreign store, or one from before a reboot, is discarded without a crash."""
    fill(folder)
    damage(folder)
    assert run(lambda: use_empty(folder)) == 0


@pytest.mark.parametrize("name", ["lock.mdb", "users", "visits"])
def test_noise_in_what_holds_no_page_loses_no_page(folder: Path, name: str) -> None:
    """The next process creates locks and counters again."""
    fill(folder)
    path = folder / "store" / name
    path.write_bytes(random.Random(2).randbytes(max(64, path.stat().st_size)))
    assert run(lambda: use_whole(folder)) == 0


@pytest.mark.parametrize("seed", range(examples(40)))
def test_noise_anywhere_is_never_served(folder: Path, seed: int) -> None:
    """A page or a store with flipped bytes is absent; no process crashes."""
    fill(folder)
    noise = random.Random(seed)
    path = folder / "store" / "data.mdb"
    data = bytearray(path.read_bytes())
    for _ in range(noise.choice((1, 3, 30))):
        at = noise.randrange(len(data))
        data[at : at + 8] = noise.randbytes(min(noise.choice((1, 8)), len(data) - at))
    path.write_bytes(data)
    assert run(lambda: use(folder)) == 0


def truncated(folder: Path) -> None:
    """Cut the data file of a store that is open."""
    os.truncate(folder / "store" / "data.mdb", 8192)


def deleted(folder: Path) -> None:
    """Delete the folder of a store that is open."""
    shutil.rmtree(folder)


def move_away(folder: Path) -> None:
    """Move the folder of a store that is open."""
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncated, id="cut"),
        pytest.param(deleted, id="folder-deleted"),
        pytest.param(move_away, id="folder-moved"),
        pytest.param(remove("data.mdb"), id="data-deleted"),
        pytest.param(foreign, id="data-replaced"),
    ],
)
def test_damage_under_an_open_store_is_a_miss(folder: Path, damage: Callable[[Path], None]) -> None:
    """The next request sees an empty store, and old tokens are rejected."""

    def work() -> None:
        fill(folder)
        store = LmdbStore(folder, max_bytes=4 << 20)
        token = store.purge_token()
        store.purge(KEYS[0])
        assert served(store, KEYS[1]) == BODIES[KEYS[1]]
        damage(folder)
        assert store.load(KEYS[1]) == ()
        response = stored(bodies=())
        assert store.save(KEYS[0], response, {}, token=token) is SaveResult.PURGED_SINCE_FETCH
        assert save(store, KEYS[2], b"again") is SaveResult.SAVED
        assert served(store, KEYS[2]) == b"again"
        store.close()

    assert run(work) == 0


def limit_files(size: int) -> None:
    """Limit the file size of this process, to simulate a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_told_and_what_is_there_is_served(folder: Path) -> None:
    """A save on a full disk fails without damage, and works again afterwards."""

    def work() -> None:
        fill(folder)
        store = LmdbStore(folder, max_bytes=4 << 20)
        assert served(store, KEYS[1]) == BODIES[KEYS[1]]
        limit_files((folder / "store" / "data.mdb").stat().st_size)
        body = bytes(1_900_000)
        assert save(store, b"large", body) is SaveResult.FAILED
        assert served(store, b"large") is None
        limit_files(resource.RLIM_INFINITY)
        assert save(store, b"large", body) is SaveResult.SAVED
        store.close()

    assert run(work) == 0


def test_a_purge_on_a_full_disk_is_carried_out(folder: Path) -> None:
    """If a purge can't be written, the whole store is discarded."""

    def work() -> None:
        fill(folder)
        store = LmdbStore(folder, max_bytes=4 << 20)
        assert served(store, KEYS[1]) == BODIES[KEYS[1]]
        limit_files(1)
        store.purge(KEYS[1])
        assert store.load(KEYS[1]) == ()
        store.close()

    assert run(work) == 0


def test_a_disk_that_is_full_from_the_start_passes(folder: Path) -> None:
    """Nothing can be created, so nothing is stored, and nothing is raised."""

    def work() -> None:
        limit_files(1)
        store = LmdbStore(folder)
        assert save(store, KEYS[0], b"") is SaveResult.FAILED
        assert store.load(KEYS[0]) == ()
        assert store.purge(KEYS[0]) == 0
        assert store.stats() is None
        assert store.most_requested(3) == []
        assert not store.set_metadata(b"a", b"b")
        store.close()

    assert run(work) == 0


def test_a_folder_that_cannot_be_made_passes(tmp_path: Path) -> None:
    """For a path below a file, reads miss, saves fail and purges do nothing."""
    (tmp_path / "file").touch()
    store = LmdbStore(tmp_path / "file" / "cache")
    assert store.load(b"k") == ()
    assert store.purge_token() == 0
    assert save(store, b"k", b"") is SaveResult.FAILED
    assert store.purge(b"k") == 0
    assert store.purge_all() == 0
    store.close()


def become_nobody() -> None:
    """Drop root's right to ignore permissions."""
    codecs.lookup("ascii")  # afterwards the interpreter's own files may be out of reach
    if os.geteuid() == 0:
        os.setuid(65534)


def test_a_purge_that_cannot_be_carried_out_is_loud(folder: Path) -> None:
    """A purge that can't discard the store raises; no process serves until the next purge."""
    ask, answer = os.pipe(), os.pipe()

    def other() -> None:
        become_nobody()
        store = LmdbStore(folder, max_bytes=4 << 20)
        while os.read(ask[0], 1):
            os.write(answer[1], b"1" if store.load(KEYS[2]) else b"0")

    def other_serves() -> bool:
        os.write(ask[1], b"?")
        return os.read(answer[0], 1) == b"1"

    def work() -> None:
        become_nobody()
        fill(folder)
        store = LmdbStore(folder, max_bytes=4 << 20)
        assert served(store, KEYS[1]) == BODIES[KEYS[1]]
        assert other_serves()
        folder.chmod(0o500)
        limit_files(1)
        with pytest.raises(
            StoreError, match="could not be written, and the store could not be discarded"
        ):
            store.purge(KEYS[1])
        assert store.load(KEYS[2]) == ()
        assert not other_serves()
        assert save(store, b"new", b"new") is SaveResult.FAILED
        folder.chmod(0o700)
        limit_files(resource.RLIM_INFINITY)
        assert store.purge(KEYS[1]) == 0
        assert store.load(KEYS[2]) == ()
        assert save(store, b"new", b"new") is SaveResult.SAVED
        assert served(store, b"new") == b"new"
        store.close()

    top = Path(tempfile.gettempdir()).resolve()
    for parent in takewhile(lambda parent: parent != top, folder.parents):
        parent.chmod(0o777)
    with running(other):
        assert run(work) == 0


def test_what_was_left_half_made_is_swept_away(folder: Path) -> None:
    """A process that is killed while it creates or discards a store leaves no files behind."""
    fill(folder)
    (folder / "making-0").mkdir()
    (folder / "making-0" / "lock.mdb").touch()
    (folder / "discarded-1").write_bytes(b"")
    use(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["guard", "store"]
