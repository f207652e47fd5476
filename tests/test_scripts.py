from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from .live.gunicorn import environment
from .live.programs import ROOT

pytestmark = pytest.mark.slow

OLD = "#!/bin/sh\nexit 1\n"
NO_VENV = """
import importlib.util, runpy, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "ensurepip" else found(name)
sys.argv = ["install.py"]
runpy.run_path("scripts/install.py", run_name="__main__")
"""


def copied(folder: Path) -> Path:
    """A project's folder with nothing set up."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    return folder


def ran(*command: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in that folder."""
    # As in a shell of one's own, also where make runs the tests.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env |= environ
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_make_alone_says_what_there_is() -> None:
    """Every target that a newcomer may call."""
    output = ran("make", folder=ROOT).stdout
    assert [line.split()[1] for line in output.splitlines()] == [
        "help",
        "run",
        "test",
        "coverage",
        "matrix",
        "check",
        "venv",
        "wheel",
        "bench",
        "lock",
        "translations",
    ]


def test_an_old_python_is_said_in_one_sentence(tmp_path: Path) -> None:
    """With the command that mends it."""
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text(OLD)
    old.chmod(0o755)
    ended = ran("sh", "scripts/venv.sh", folder=copied(tmp_path), PYTHON=str(old))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("Broadsheet needs Python 3.11 or newer")


def test_a_python_without_venv_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Debian ships it apart."""
    ended = ran(sys.executable, "-c", NO_VENV, folder=copied(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "apt-get install python3." in ended.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_scripts_are_portable() -> None:
    """Any POSIX shell reads them: macOS, Debian's dash and busybox have no common bash."""
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        assert script.read_text().startswith("#!/bin/sh\n"), script
        assert (
            ran("dash" if shutil.which("dash") else "sh", "-n", str(script), folder=ROOT).returncode
            == 0
        )
        for bashism in ("[[", "local ", "pipefail", "function ", "=="):
            assert bashism not in script.read_text(), f"{script}: {bashism}"


@pytest.mark.parametrize("port", ["", "8000"], ids=["own machine", "platform"])
def test_samples_are_loaded_on_ones_own_machine_only(tmp_path: Path, port: str) -> None:
    """A platform sets PORT; what is public there is the owner's decision."""
    settings = {**environment(tmp_path, {}), "PORT": port}
    command = (sys.executable, "scripts/prepare.py")
    first = ran(*command, folder=ROOT, **settings)
    assert first.returncode == 0, first.stderr
    assert ("is not loaded" in first.stdout) == bool(port)
    with sqlite3.connect(tmp_path / "broadsheet.db") as connection:
        posts = connection.execute("SELECT count(*) FROM post").fetchone()[0]
    assert (posts > 0) == (not port)
