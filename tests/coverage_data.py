"""A pytest plugin that writes the coverage data of a process as soon as its last test has ended.

coverage itself writes the data in a handler that runs at exit. xdist kills a worker that has not
exited ten seconds after its last test, as happens on a busy machine, and its data was lost.
"""

from __future__ import annotations

import os
import sys
import warnings


def pytest_sessionfinish() -> None:
    """Write the data that was measured so far; coverage adds the rest at exit."""
    if "COVERAGE_PROCESS_CONFIG" not in os.environ or "coverage" not in sys.modules:
        return
    coverage = sys.modules["coverage"].Coverage.current()
    if coverage is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that this process has run nothing of app
            coverage.save()
