"""Run code against a copy of the library under its public name, without the app around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import app.edge

NAME = "flask_edgecache"
SOURCE = Path(app.edge.__file__).parent
ROOT = SOURCE.parents[1]


def copy_library(folder: Path, name: str = NAME) -> Path:
    """Copy the library into a folder, by default under its public name, and return the folder.

    The bytecode is copied as well, so that a program does not compile two hundred modules.
    Another process may still be writing a file such as `*.pyc.1234`.
    """
    shutil.copytree(SOURCE, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    return folder


def run_code(code: str, *, packages: Path, cwd: Path) -> str:
    """Run Python code that imports the copied library; return what it prints.

    Environment variables that configure Flask are left out. A failure raises AssertionError with
    the output.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLASK_", "PYTHON", "COVERAGE_"))
    }
    environment["PYTHONPATH"] = f"{cwd}{os.pathsep}{packages}"
    result = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    return result.stdout
