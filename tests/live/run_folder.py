"""The temporary folder of a test run, and the programs that must end with it.

A run starts one `supervisor.py`, which outlives it: SIGTERM, Ctrl-C or SIGKILL leave no server and
no folder behind. `start` is the only way for a test to start a program that does not end by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

SUPERVISOR = Path(__file__).with_name("supervisor.py")
ANNOUNCE = ': > "$0/$$" || exit 1; exec "$@"'
"""Note the process ID, then become the program. The note fails once the run has ended."""


class Program(Protocol):
    """A program that was started: a part of the interface of `subprocess.Popen`."""

    args: Any
    pid: int

    def poll(self) -> int | None:
        """Return the exit status, or None while the program runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the program."""

    def send_signal(self, sig: int) -> None:
        """Send a signal."""

    def kill(self) -> None:
        """Kill the program."""


class RunFolder:
    """The folder of this process's run, with the supervisor that deletes it."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._pipe = -1

    @property
    def path(self) -> Path:
        """The folder; made, with its supervisor, when it is first needed."""
        if self._path is None:
            self._path = self._open()
        return self._path

    def _open(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="broadsheet-tests-"))
        path.chmod(0o711)  # PostgreSQL runs as another user
        for name in ("processes", "folders"):
            (path / name).mkdir()
        reading, self._pipe = os.pipe()
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), str(path)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ).returncode = 0  # it is not waited for: it ends after this process
        os.close(reading)
        os.register_at_fork(after_in_child=self._leave)
        return path

    def _leave(self) -> None:
        """Close a forked child's copy of the pipe, so that only the run itself keeps it open."""
        with suppress(OSError):
            os.close(self._pipe)

    def use_as_tempdir(self) -> None:
        """Let this process and all programs that it starts make their temporary files here.

        pytest's own folders stay where it keeps those of the last three runs.
        """
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ["TMPDIR"] = str(self.path)
        tempfile.tempdir = None

    def add_folder(self, folder: Path) -> None:
        """Delete this folder as well when the run ends, unless it is released."""
        self._note_of(folder).write_text(str(folder))

    def release_folder(self, folder: Path) -> None:
        """Keep a folder after all."""
        self._note_of(folder).unlink(missing_ok=True)

    def _note_of(self, folder: Path) -> Path:
        return self.path / "folders" / folder.name

    def start(self, command: Sequence[str | Path], **arguments: Any) -> subprocess.Popen[Any]:
        """Start a program that ends at the latest when this process ends."""
        notes = str(self.path / "processes")
        words = ["/bin/sh", "-c", ANNOUNCE, notes, *map(str, command)]
        return subprocess.Popen(words, **arguments)

    def forget(self, process: Program) -> None:
        """Remove the note of a program that has ended."""
        (self.path / "processes" / str(process.pid)).unlink(missing_ok=True)


RUN = RunFolder()
