"""The depths of the tests: `fast`, `ci` and `night`."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import settings

from . import depth
from .depth import DEPTHS, NAME, NAMES, choose_cases, choose_depth

ROOT = Path(__file__).resolve().parents[1]


def test_a_deeper_run_tries_at_least_as_much() -> None:
    """No number of `ci` is below that of `fast`, and `night` tries ten times as much as `ci`."""
    fast, ci, night = (astuple(DEPTHS[name]) for name in NAMES)
    assert all(few <= more for few, more in zip(fast, ci, strict=True))
    assert night == tuple(10 * number for number in ci)


def test_an_unknown_depth_is_refused() -> None:
    """A misspelt DEPTH does not silently run the fewest cases."""
    with pytest.raises(ValueError, match=r"DEPTH='nightly' .* fast, ci, night"):
        choose_depth("nightly")


def test_repeated_runs_reach_every_case_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a quarter of the cases is chosen, at least one of them; CI chooses all."""
    reached_cases: set[int] = set()
    monkeypatch.setattr(depth, "DEPTH", DEPTHS["fast"])
    for seed in range(100):
        monkeypatch.setattr(depth, "SEED", seed)
        cases = choose_cases(range(7))
        assert len(cases) == 2
        reached_cases |= set(cases)
    assert reached_cases == set(range(7))
    assert len(choose_cases("ab")) == 1
    monkeypatch.setattr(depth, "DEPTH", DEPTHS["ci"])
    assert choose_cases(range(7)) == list(range(7))


def test_ci_tries_more_than_a_developer() -> None:
    """`.ci/run` sets DEPTH=ci unless the caller chooses another depth."""
    assert 'DEPTH="${DEPTH:-ci}"' in (ROOT / ".ci/run").read_text()


def test_properties_use_the_profile_of_the_depth() -> None:
    """A property that sets no number of examples tries that of the chosen depth."""
    assert settings.default is not None
    assert settings.default.max_examples == DEPTHS[NAME].default_examples
