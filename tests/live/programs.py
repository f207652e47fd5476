"""Programs that a test starts: on free loopback ports, waited for, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from .forked_python import start_python
from .run_folder import RUN, Program

ROOT = Path(__file__).resolve().parents[2]
BOUND = 20.0
"""Seconds until a server must be ready."""

PACKED = ROOT / ".pytest_cache" / "packed"
"""Static files are compressed once for all runs: their names are the digests of their content."""


def needs(program: str, *, package: str, places: Sequence[str] = ()) -> str:
    """The path of a program; where it is missing the test is skipped, in CI it fails."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/bin", *places])
    executable = shutil.which(program, path=path)
    if executable is None:
        pytest.skip(f"missing part: {program} (Debian: apt-get install {package})")
    return executable


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A program that was started, and where its output goes."""

    port: int
    log: Path
    process: Program

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    ready: Callable[[], bool] | None = None,
    stop: signal.Signals = signal.SIGTERM,
    folder: Path = ROOT,
) -> Iterator[Running]:
    """Start a program in a folder, wait until it is ready, and stop it with all its children."""
    with log.open("wb") as output:
        process = RUN.start(
            command,
            cwd=folder,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _ready(process, port=port, log=log, ready=ready, stop=stop) as started:
        yield started


@contextmanager
def running_python(
    words: Sequence[str],
    *,
    port: int,
    log: Path,
    env: Mapping[str, str],
    ready: Callable[[], bool] | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[Running]:
    """Start `python WORDS`, wait until it is ready, and stop it with all its children."""
    process = start_python(words, env=env, log=log)
    with _ready(process, port=port, log=log, ready=ready, stop=stop) as started:
        yield started


@contextmanager
def _ready(
    process: Program,
    *,
    port: int,
    log: Path,
    ready: Callable[[], bool] | None,
    stop: signal.Signals,
) -> Iterator[Running]:
    try:
        wait_until(ready or (lambda: listens(port)), process, log)
        yield Running(port=port, log=log, process=process)
    finally:
        end(process, stop)


def wait_until(ready: Callable[[], bool], process: Program, log: Path) -> None:
    """Poll until ready; fail with the program's own words when it ends or takes too long."""
    deadline = time.monotonic() + BOUND
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            log_text = log.read_text(errors="replace")[-4000:]
            pytest.fail(f"{process.args!r} is not ready (exit {process.poll()}):\n{log_text}")
        time.sleep(0.02)


def end(process: Program, stop: signal.Signals) -> None:
    """Stop a program's whole session, at last by force."""
    if process.poll() is None:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    RUN.forget(process)
