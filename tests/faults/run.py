"""Plant faults, one after the other, each in a copy of the repository, and run their tests.

    python -m tests.faults.run [TABLE.toml …] [-k WORDS]

The exit status is 1 when a fault survives: none of its tests failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .fault import ROOT, Fault, read_all_tables, read_table

COPIED = (
    *(
        "app",
        "migrations",
        "static",
        "templates",
        "translations",
        "tests",
        "docs",
        "deploy",
        "scripts",
    ),
    *("benchmarks", "wsgi.py", "gunicorn.conf.py", "pyproject.toml", "README.md", "Procfile"),
)
_FAILED_TESTS = 1
"""The exit status with which pytest reports tests that failed; 2 to 5 are other errors."""
_COLLECTION_FAILED = 2


@contextmanager
def copied_repository() -> Iterator[Path]:
    """A copy of what the tests need, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="broadsheet-faults-") as folder:
        copy = Path(folder)
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=ignore)
            elif source.exists():
                shutil.copy(source, copy / name)
        yield copy


@contextmanager
def plant_fault(fault: Fault, copy: Path) -> Iterator[None]:
    """Change the file in the copy, and restore it afterwards."""
    path = copy / fault.file
    original = path.read_text(encoding="utf-8")
    path.write_text(fault.changed_text(copy), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")


def is_noticed(fault: Fault, copy: Path) -> bool:
    """Whether a test of the fault fails; raises RuntimeError when pytest itself can't run."""
    with plant_fault(fault, copy):
        process = _run_pytest(fault.tests, copy)
    if process.returncode not in {0, _FAILED_TESTS, _COLLECTION_FAILED}:
        raise RuntimeError(f"{fault}: pytest ended with {process.returncode}\n{process.stdout}")
    return process.returncode != 0


def check_tests_pass(faults: Sequence[Fault], copy: Path) -> None:
    """Run the tests of all faults on the unchanged copy; raises RuntimeError if one fails."""
    arguments = sorted({argument for fault in faults for argument in fault.tests})
    process = _run_pytest(arguments, copy)
    if process.returncode != 0:
        raise RuntimeError(f"the tests fail without any fault:\n{process.stdout}")


def _run_pytest(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
    variables = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    environment = {**variables, "PYTHONDONTWRITEBYTECODE": "1", "CASES": "all"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant the selected faults and print a line for each of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path, help="tables to run; all by default")
    parser.add_argument("-k", default="", help="run only faults with this text in file or reason")
    options = parser.parse_args(arguments)
    tables = options.tables
    faults = [fault for path in tables for fault in read_table(path)] or read_all_tables()
    selected_faults = [fault for fault in faults if options.k in str(fault)]
    survivors = 0
    with copied_repository() as copy:
        check_tests_pass(selected_faults, copy)
        for fault in selected_faults:
            is_killed = is_noticed(fault, copy)
            survivors += not is_killed
            print(f"{'noticed ' if is_killed else 'SURVIVED'}  {fault}", flush=True)  # noqa: T201
    print(f"{len(selected_faults) - survivors} of {len(selected_faults)} faults are noticed.")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
