"""Ends what a test run has started, after the run itself has ended: `python supervisor.py FOLDER`.

The run holds the other end of this process's standard input. The kernel closes it however the run
ends, by SIGKILL too. Then the supervisor kills the programs that the run has started, with all
their descendants, and deletes the run's temporary folders.

`FOLDER/processes` has a file for each program, named by its process ID. `FOLDER/folders` has a file
for each folder outside of FOLDER, with its path as content.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 1.0
"""Seconds between two looks at the descendants of the run."""

CLOCK_TOLERANCE = 2.0
"""Seconds by which two ways to read the time may differ: a process ID is not reused that soon."""

BOUND = 3.0
"""Seconds for the programs to end after SIGQUIT, before SIGKILL."""

DELETION_BOUND = 30.0
"""Seconds for other processes of the run, which may still write, to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    start_time: float
    """Seconds since the epoch, to a hundredth."""


def list_processes() -> list[Process]:
    """Return all processes that are alive (zombies are not); none where there is no /proc."""
    if not Path("/proc/stat").exists():
        return []
    lines = Path("/proc/stat").read_text().splitlines()
    boot_time = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    processes = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX":
                ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
                processes.append(
                    Process(
                        pid=int(entry.name),
                        parent=int(fields[1]),
                        session=int(fields[3]),
                        start_time=boot_time + ticks,
                    )
                )
    return processes


def find_notes(folder: Path) -> dict[int, float]:
    """Return the process IDs that the run has noted, with the time of each note."""
    return {int(note.name): note.stat().st_mtime for note in folder.iterdir()}


def find_descendants(roots: dict[int, float], processes: list[Process]) -> set[int]:
    """Return the processes of these IDs, their descendants, and the members of their sessions.

    A process that began after its ID was noted is another one, which has got the ID since then.
    """
    reused_pids = {
        process.pid
        for process in processes
        if process.pid in roots and process.start_time > roots[process.pid] + CLOCK_TOLERANCE
    }
    sessions = roots.keys() - reused_pids
    pids = sessions & {process.pid for process in processes}
    while True:
        more = {
            process.pid
            for process in processes
            if process.parent in pids or process.session in sessions
        } - pids
        if not more:
            return {pid for pid in pids if not is_supervisor(pid)}
        pids |= more
        sessions |= more


def find_children(run: int, processes: list[Process]) -> set[int]:
    """Return the descendants of the run, without the supervisors."""
    pids = {run}
    while more := {p.pid for p in processes if p.parent in pids} - pids:
        pids |= more
    return {pid for pid in pids - {run} if not is_supervisor(pid)}


def is_supervisor(pid: int) -> bool:
    """Return whether a process is a supervisor: each of them ends after its own run."""
    with suppress(OSError):
        return Path(__file__).name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def kill_all(notes: dict[int, float], descendants: dict[int, float]) -> None:
    """End the programs: servers first with SIGQUIT, so that PostgreSQL frees its shared memory."""
    roots = descendants | notes
    pids = find_descendants(roots, list_processes())
    send(pids & notes.keys(), signal.SIGQUIT)
    deadline = time.monotonic() + (BOUND if pids & notes.keys() else 0)
    while pids:
        roots |= dict.fromkeys(pids - roots.keys(), time.time())
        if time.monotonic() > deadline:
            send(pids, signal.SIGKILL)
        time.sleep(0.05)
        pids = find_descendants(roots, list_processes())


def send(pids: set[int], signal_number: signal.Signals) -> None:
    """Send a signal to processes; some may have ended already."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal_number)


def delete(folders: list[Path]) -> None:
    """Delete folders; try again while another process of the run still writes there."""
    deadline = time.monotonic() + DELETION_BOUND
    while time.monotonic() < deadline:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.exists() for folder in folders):
            return
        time.sleep(0.1)


def watch_run() -> dict[int, float]:
    """Wait until the run closes our standard input; return the descendants that it had until then.

    They include programs that nothing has noted: a browser, a command, a worker of xdist.
    """
    run = os.getppid()
    descendants: dict[int, float] = {}
    while not select.select([sys.stdin], [], [], INTERVAL)[0]:
        processes = list_processes()
        children = find_children(run, processes)
        descendants = {pid: descendants.get(pid, time.time()) for pid in children}
    return descendants


def main(folder: Path) -> None:
    """Wait for the end of the run, then end its programs and delete its folders."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    descendants = watch_run()
    with suppress(OSError):
        (folder / "processes").rename(folder / "ended")  # no program can start from now on
        kill_all(find_notes(folder / "ended"), descendants)
    folders = [folder]
    with suppress(OSError):
        folders += [Path(note.read_text()) for note in (folder / "folders").iterdir()]
    delete(folders)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
