from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.depth import examples

ROUNDS = {"sqlite": examples(150), "postgresql+psycopg": examples(60)}


@pytest.mark.slow
def test_nothing_is_lost_when_the_process_is_killed_at_any_statement(
    url: str, tmp_path: Path
) -> None:
    """After kills at each statement from commit to settling, both edges keep the newest bytes."""
    module = f"{__package__}.crash_child"
    rounds = ROUNDS[url.partition(":")[0]]
    process = subprocess.run(
        [sys.executable, "-m", module, url, str(tmp_path), str(rounds)],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert report["killed"] > rounds * 0.7
    assert sum(report["current"].values()) > rounds
    assert report["kept"] == {"gateway": report["current"], "cdn": report["current"]}
    assert report["unsettled"] == 0
