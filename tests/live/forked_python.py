"""Python programs of a test, forked from a process that has imported the app already.

`python -m flask` and `python -m gunicorn` spend nine tenths of their start on imports. At
`DEPTH=fast` a fork server imports the modules once, and each program is a fork of it, with its own
arguments, environment, working directory and session. In CI each program is a new interpreter.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from tests.depth import NAME

from .run_folder import RUN, Program

ROOT = Path(__file__).resolve().parents[2]
FORKS = NAME == "fast" and "COVERAGE_PROCESS_CONFIG" not in os.environ
"""A forked program is not measured by coverage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program to run in place of a new interpreter."""

    words: tuple[str, ...]
    """The arguments of the interpreter: `-m MODULE ...` or `-c CODE ...`."""
    env: Mapping[str, str]
    folder: str
    stdout: str
    stderr: str
    """Files for the output; equal names mean one file."""
    notes: str
    """The folder where the program notes its process ID."""


class ForkedProgram:
    """A forked program, with the interface of `subprocess.Popen`."""

    def __init__(self, args: Sequence[str], process: ForkServerProcess) -> None:
        self.args = args
        self._process = process
        assert process.pid is not None
        self.pid: int = process.pid

    def poll(self) -> int | None:
        """Return the exit status, or None while the program runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the program."""
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless the program has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """Kill the program."""
        self._process.kill()


def start_python(
    words: Sequence[str], *, env: Mapping[str, str], log: Path, folder: Path = ROOT
) -> Program:
    """Start `python WORDS` in a session of its own; its output goes to a file."""
    if FORKS:
        return _fork(words, env=env, folder=folder, stdout=log, stderr=log)
    with log.open("wb") as output:
        return RUN.start(
            [sys.executable, *words],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run_python(
    words: Sequence[str], *, env: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `python WORDS` to its end."""
    command = [sys.executable, *words]
    if not FORKS:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    with tempfile.TemporaryDirectory(dir=RUN.path) as output:
        stdout, stderr = Path(output) / "stdout", Path(output) / "stderr"
        program = _fork(words, env=env, folder=ROOT, stdout=stdout, stderr=stderr)
        try:
            status = program.wait(timeout)
        finally:
            program.kill()
            RUN.forget(program)
        return subprocess.CompletedProcess(command, status, stdout.read_text(), stderr.read_text())


def _fork(
    words: Sequence[str], *, env: Mapping[str, str], folder: Path, stdout: Path, stderr: Path
) -> ForkedProgram:
    for path in {stdout, stderr}:
        path.write_bytes(b"")
    job = Job(
        words=tuple(words),
        env=dict(env),
        folder=str(folder),
        stdout=str(stdout),
        stderr=str(stderr),
        notes=str(RUN.path / "processes"),
    )
    process = _fork_server().Process(target=_become_program, args=(job,), daemon=True)
    process.start()
    return ForkedProgram([sys.executable, *words], process)


@cache
def _fork_server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{__package__}.preloaded", __name__])
    with chdir(ROOT):  # where the server finds these modules
        forkserver.ensure_running()
    return context


def _become_program(job: Job) -> None:
    """Run the program in this process, which is a fork of the server."""
    multiprocessing.current_process().daemon = False  # it may start processes itself
    os.setsid()
    (Path(job.notes) / str(os.getpid())).touch(exist_ok=False)  # fails once the run has ended
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.env)
    time.tzset()
    for descriptor, path in enumerate((os.devnull, job.stdout, job.stderr)):
        opened = os.open(path, os.O_RDWR | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout.reconfigure(line_buffering="PYTHONUNBUFFERED" in job.env)  # type: ignore[union-attr]  # it is no stream of pytest
    option, program, *arguments = job.words
    sys.argv = [program if option == "-m" else option, *arguments]
    sys.path.insert(0, job.folder)
    try:
        if option == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            exec(program, {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # a forked process skips them
