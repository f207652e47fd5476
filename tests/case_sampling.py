"""A pytest plugin: at `DEPTH=fast` a run takes some cases of each long parametrised test.

The cases are spread evenly over the table, and the seed of the run chooses them, so that repeated
runs reach all of them. Tests marked `ci` are left out. CI and `CASES=all` run every test and case,
and so does a run that selects tests by a file, a node ID, `-k` or `--last-failed`.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from random import Random

import pytest

from .depth import CASES, SEED, SLOW_CASES, choose_positions


def pytest_configure() -> None:
    """Give this run's seed to the processes of xdist: all of them must choose the same cases."""
    os.environ["SEED"] = str(SEED)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the cases that this run leaves out."""
    if runs_all_cases(config):
        return
    files = find_named_files(config)
    unnamed = [item for item in items if item.path not in files]
    left_out = {item.nodeid for item in unnamed if "ci" in item.keywords}
    tables: dict[Hashable, list[pytest.Item]] = {}
    for item in unnamed:
        if hasattr(item, "callspec"):
            tables.setdefault(find_table(item), []).append(item)
    for table in tables.values():
        left_out |= {item.nodeid for item in find_left_out(table, seed=SEED)}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print how to repeat the choice of cases, and how to run all of them."""
    if not runs_all_cases(config):
        terminalreporter.write_line(
            f"At most {CASES} cases of each parametrised test ran ({SLOW_CASES} of a slow one), and "
            f"no test marked ci: SEED={SEED} repeats this choice, CASES=all runs everything."
        )


def runs_all_cases(config: pytest.Config) -> bool:
    """Whether this run leaves out no case, because of its depth or of its command line."""
    options = ("keyword", "lf", "failedfirst", "stepwise")
    return (
        CASES is None
        or any(config.getoption(name, default=None) for name in options)
        or len(find_named_files(config)) == len({arg.partition("::")[0] for arg in config.args})
    )


def find_named_files(config: pytest.Config) -> frozenset[Path]:
    """The files that the command line names, alone or in a node ID."""
    paths = (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    return frozenset(path.resolve() for path in paths if path.is_file())


def find_table(item: pytest.Item) -> Hashable:
    """The table that a case belongs to: its function, and the marks that make it cost more."""
    return item.nodeid.partition("[")[0], "live" in item.keywords, "slow" in item.keywords


def find_limit(item: pytest.Item) -> int:
    """How many cases of this parametrised test run."""
    assert CASES is not None
    return min(CASES, SLOW_CASES) if "slow" in item.keywords else CASES


def find_left_out(table: Sequence[pytest.Item], *, seed: int) -> list[pytest.Item]:
    """The cases of one table that a run with this seed leaves out."""
    random = Random(f"{seed} {table[0].nodeid.partition('[')[0]}")
    positions = set(choose_positions(len(table), most=find_limit(table[0]), random=random))
    return [item for position, item in enumerate(table) if position not in positions]
