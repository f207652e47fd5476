"""What a call costs: instructions by callgrind where that runs us, else CPU time."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import median

FOLDER = "BENCHMARK_CALLGRIND"
"""The environment variable that names callgrind's folder, in a process that it runs."""

_TRIES = 5


def has_callgrind() -> bool:
    """Tell whether instructions can be counted on this machine."""
    return all(shutil.which(program) for program in ("valgrind", "callgrind_control"))


def below_callgrind(command: Sequence[str], folder: Path) -> str:
    """Run a Python program below callgrind; return what it printed."""
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    valgrind.append(f"--callgrind-out-file={folder / 'out'}")
    process = subprocess.run(
        [*valgrind, sys.executable, *command],
        env={**os.environ, FOLDER: str(folder), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        sys.exit(process.stderr)
    return process.stdout


def instructions(call: Callable[[], object]) -> float:
    """Count what one call executes; callgrind must be running this process."""
    return _between(call) - _own()


@cache
def _own() -> float:
    """What counting itself executes, most of it to reach callgrind; that is no part of a price."""
    return median(_between(bool) for _ in range(_TRIES))


def _between(call: Callable[[], object]) -> float:
    folder = Path(os.environ[FOLDER])
    gc.collect()
    _control("--zero")
    call()
    _control("--dump=one")
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    match = re.search(r"^totals: (\d+)", newest.read_text(), re.MULTILINE)
    if match is None:
        sys.exit(f"{newest} holds no totals.")
    newest.unlink()
    return float(match[1])


def start_counting() -> None:
    """Let callgrind look at every instruction from now on; all gets forty times slower."""
    _control("--instr=on")


def _control(what: str) -> None:
    subprocess.run(["callgrind_control", what, str(os.getpid())], check=True, capture_output=True)


def cpu(call: Callable[[], object]) -> float:
    """The microseconds of CPU that one call uses."""
    before = time.process_time_ns()
    call()
    return (time.process_time_ns() - before) / 1000
