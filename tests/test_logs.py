"""A line in the log has time, process, level and message, unless logging is configured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .live.forked_python import run_python
from .live.gunicorn import environment

LINE = (
    r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(WARNING|INFO)\] edge.event: a page\n"
)


def read_log(tmp_path: Path, code: str, **settings: str) -> str:
    """Return what a process of the app writes to stderr."""
    result = run_python(["-c", code], env=environment(tmp_path, settings))
    assert result.returncode == 0, result.stderr
    return result.stderr


MAKE = "import logging; from app import create_app; create_app(); "


@pytest.mark.parametrize(
    ("level", "count"),
    [("info", 2), ("warning", 1), ("error", 0)],
    ids=["info", "warning", "error"],
)
def test_a_line_has_time_process_level_and_message(tmp_path: Path, level: str, count: int) -> None:
    """The form is gunicorn's, and LOG_LEVEL decides how much is printed."""
    log = "logging.getLogger('app.edge.flask.response')"
    code = f"{MAKE} log = {log}; log.warning('edge.event: %s', 'a page'); log.info('edge.event: a page')"
    stderr = read_log(tmp_path, code, FLASK_LOG_LEVEL=level)
    assert len(re.findall(LINE, stderr)) == count
    assert stderr.count("\n") == count


def test_a_process_that_configures_logging_keeps_its_form(tmp_path: Path) -> None:
    """The app adds no second line."""
    code = f"import logging; logging.basicConfig(format='own %(message)s'); {MAKE}"
    code += "logging.getLogger('app.edge').warning('edge.event: a page')"
    assert read_log(tmp_path, code) == "own edge.event: a page\n"
