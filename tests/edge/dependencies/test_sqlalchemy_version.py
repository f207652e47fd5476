"""The check of SQLAlchemy's version."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import sqlalchemy as sa
from packaging.requirements import Requirement

import app.edge
from app.edge.dependencies import recorder, sqlalchemy_private
from app.edge.dependencies.engine_events import EngineListener
from app.edge.dependencies.sqlalchemy_version import TESTED_RANGE, is_too_old, untested_reason
from app.edge.flask.requirements import Extra, require
from app.edge.policy.policy import PolicyError

from .conftest import SCHEMA, memory, post

SUPPORTED = ["2.0.57", "2.0.58", "2.1.0b1", "2.1.0", "2.1.9"]
TOO_OLD = ["", "unknown", "1.4.54", "2.0", "2.0.9", "2.0.56"]
TOO_NEW = ["2.2.0b1", "2.2.0", "2.10.1", "3.0"]


@pytest.mark.parametrize("version", SUPPORTED)
def test_tested_versions_are_supported(version: str) -> None:
    """Responses may be shared with these versions."""
    assert untested_reason(version) is None
    assert not is_too_old(version)


@pytest.mark.parametrize("version", [*TOO_OLD, *TOO_NEW])
def test_other_versions_have_a_reason(version: str) -> None:
    """The sentence contains the installed version, the tested versions and the remedy."""
    reason = untested_reason(version) or ""
    assert reason.startswith(f"SQLAlchemy {version} is not supported, only {TESTED_RANGE}: ")
    assert reason.endswith("upgrade SQLAlchemy") is (version in TOO_OLD)
    assert is_too_old(version) is (version in TOO_OLD)


def test_the_distribution_requires_the_tested_versions() -> None:
    """The range in `pyproject.toml` and the check at the start are the same."""
    text = (Path(app.edge.__file__).parent / "pyproject.toml").read_text(encoding="utf-8")
    (required,) = tomllib.loads(text)["project"]["optional-dependencies"]["sqlalchemy"]
    specifier = Requirement(required).specifier
    for version in [*SUPPORTED, *TOO_OLD[2:], *TOO_NEW[1:]]:
        is_allowed = specifier.contains(version, prereleases=True)
        assert is_allowed is (untested_reason(version) is None), version


@pytest.mark.parametrize("version", ["2.0.56", "2.2.0"])
def test_an_untested_version_shares_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    """Queries run as before, every record is unshareable, and one log line states the reason."""
    monkeypatch.setattr(recorder, "_start_checks", {})
    engine = memory()
    with monkeypatch.context() as patch:
        patch.setattr(sa, "__version__", version)
        EngineListener(SCHEMA).attach(engine)
        assert sqlalchemy_private.unsupported_reason() == untested_reason(version)
    with recorder.recording() as record, engine.connect() as connection:
        assert connection.execute(sa.select(post)).all() == []
    engine.dispose()
    assert record.unshareable_reason == untested_reason(version)
    (line,) = [r for r in caplog.records if r.message.startswith("edge.sqlalchemy_unsupported: ")]
    assert f"SQLAlchemy {version} is not supported" in line.message


@pytest.mark.parametrize("version", ["2.0.57", "2.1.9", "2.2.0"])
def test_the_level_accepts_tested_and_newer_versions(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """A newer SQLAlchemy does not stop the application."""
    monkeypatch.setattr(sa, "__version__", version)
    require(Extra.SQLALCHEMY, "edge.track(…)")


def test_the_level_rejects_an_older_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """`edge.track()` and `init_app(db=…)` raise a PolicyError; the other levels need no SQLAlchemy."""
    monkeypatch.setattr(sa, "__version__", "1.4.54")
    with pytest.raises(
        PolicyError, match=r"^edge\.track\(…\): SQLAlchemy 1\.4\.54 is not supported"
    ):
        require(Extra.SQLALCHEMY, "edge.track(…)")
    require(Extra.CDN, "edge check")
