"""A test run that is interrupted or killed leaves neither servers nor folders behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.depth import choose_cases

from .live_site import eventually
from .programs import ROOT
from .run_folder import RUN
from .supervisor import Process, find_children, list_processes

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.ci]

TEST = """
import os, threading
from pathlib import Path

def test_waits(%(fixtures)s):
    %(use)s
    Path("%(ready)s").write_text(str(os.getpid()))
    threading.Event().wait(100)
"""
NGINX = ("nginx, tmp_path", "nginx('return 204;')")
ALL = (
    "nginx, postgres, varnish, serve, chromium, tmp_path",
    "nginx('return 204;'); serve(); chromium.new_page(); varnish('vcl 4.1; backend default none;')",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, for Chromium's socket, that PostgreSQL's user can enter."""
    path = Path(tempfile.mkdtemp(dir=os.environ["PYTEST_DEBUG_TEMPROOT"]))
    path.chmod(0o711)
    RUN.add_folder(path)
    yield path
    shutil.rmtree(path)
    RUN.release_folder(path)


@contextmanager
def waiting_run(
    folder: Path, test: tuple[str, str], *arguments: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start pytest with a test that has started servers and waits; yield it and the test's PID."""
    ready = folder / "ready"
    text = TEST % {"fixtures": test[0], "use": test[1], "ready": ready}
    (folder / "test_waiting.py").write_text(text)
    (folder / "tmp").mkdir(mode=0o711)
    config = ("-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", "-p", "no:cacheprovider")
    variables = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    paths = {"TMPDIR": str(folder / "tmp"), "PYTEST_DEBUG_TEMPROOT": str(folder / "tmp")}
    with (folder / "log").open("wb") as log:
        run = RUN.start(
            [sys.executable, "-m", "pytest", *config, *arguments, folder / "test_waiting.py"],
            cwd=ROOT,
            env=variables | paths,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert eventually(
            lambda: (ready.exists() and bool(ready.read_text())) or run.poll() is not None,
            within=60,
        )
        assert run.poll() is None, (folder / "log").read_text()
        yield run, int(ready.read_text())
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait(10)
        RUN.forget(run)


def find_servers(run: int) -> set[Process]:
    """The programs that a run has started."""
    processes = list_processes()
    pids = find_children(run, processes)
    return {process for process in processes if process.pid in pids}


def find_folders(folder: Path) -> list[Path]:
    """The temporary folders of a run that are still there."""
    places = ("broadsheet-tests-*", "pytest-of-*/pytest-[0-9]*", "playwright*", ".org.chromium*")
    return [path for place in places for path in (folder / "tmp").glob(place)]


def assert_nothing_is_left(folder: Path, servers: set[Process]) -> None:
    """No server runs and no folder exists, soon after the end of the run."""
    ids = {(server.pid, server.start_time) for server in servers}

    def alive() -> set[tuple[int, float]]:
        return ids & {(process.pid, process.start_time) for process in list_processes()}

    assert eventually(lambda: not alive(), within=20), alive()
    assert eventually(lambda: not find_folders(folder), within=20), find_folders(folder)


def test_a_killed_run_leaves_no_server_of_any_kind(folder: Path) -> None:
    """PostgreSQL, gunicorn, Varnish, nginx and Chromium end with all their children."""
    with waiting_run(folder, ALL) as (run, _):
        servers = find_servers(run.pid)
        assert len(servers) > 10  # each of the programs has children
        assert find_folders(folder)
        run.kill()
        assert_nothing_is_left(folder, servers)


@pytest.mark.parametrize(
    "signals",
    choose_cases(
        [
            pytest.param([signal.SIGINT, signal.SIGINT], id="Ctrl-C twice"),
            pytest.param([signal.SIGTERM], id="SIGTERM"),
            pytest.param([signal.SIGINT], id="Ctrl-C"),
        ]
    ),
)
def test_an_interrupted_run_leaves_nothing(folder: Path, signals: list[signal.Signals]) -> None:
    """The signals that end a run from outside leave no server and no folder."""
    with waiting_run(folder, NGINX) as (run, _):
        servers = find_servers(run.pid)
        assert servers
        for number in signals:
            run.send_signal(number)
        assert_nothing_is_left(folder, servers)


@pytest.mark.parametrize("victim", choose_cases(["worker", "controller"]))
def test_a_killed_part_of_a_parallel_run_leaves_nothing(folder: Path, victim: str) -> None:
    """A worker that is killed takes its servers with it; a controller also takes its workers."""
    with waiting_run(folder, NGINX, "-n", "1", "-p", "xdist") as (run, worker):
        servers = find_servers(run.pid if victim == "controller" else worker)
        assert servers
        os.kill(run.pid if victim == "controller" else worker, signal.SIGKILL)
        if victim == "worker":  # the controller reports the loss, and ends with pytest's folders
            run.wait(60)
            servers |= find_servers(run.pid)
            assert not list((folder / "tmp").glob("broadsheet-tests-*/broadsheet-tests-*/p*"))
            assert eventually(lambda: not servers & set(list_processes()), within=20)
        else:
            assert_nothing_is_left(folder, servers)
