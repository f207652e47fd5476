from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coverage import Coverage

from .live.programs import ROOT

TEST = """
import atexit, os
from app.edge.http.durations import format_duration

def test_one():
    atexit.register(os._exit, 0)  # before coverage's own handler, which writes its data
    assert format_duration
"""


@pytest.mark.slow
@pytest.mark.ci
def test_a_worker_that_is_killed_at_its_exit_has_written_its_data(tmp_path: Path) -> None:
    """After the last test, xdist kills a worker that takes longer than ten seconds to exit."""
    (tmp_path / "test_one.py").write_text(TEST)
    data_file = tmp_path / "data"
    command = ["coverage", "run", f"--data-file={data_file}", "-m", "pytest"]
    config = f"-c {ROOT}/pyproject.toml -p tests.coverage_data -p no:cacheprovider -n 1".split()
    environment = {
        name: value
        for name, value in os.environ.items()
        if "XDIST" not in name and "COVERAGE" not in name
    }
    process = subprocess.run(
        [sys.executable, "-m", *command, *config, str(tmp_path / "test_one.py")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert "1 passed" in process.stdout, process.stdout + process.stderr
    coverage = Coverage(data_file=str(data_file), config_file=str(ROOT / "pyproject.toml"))
    coverage.combine([str(tmp_path)])
    assert str(ROOT / "app/edge/http/durations.py") in coverage.get_data().measured_files()
