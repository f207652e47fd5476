"""The self-test of SQLAlchemy's private names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.sql import compiler
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Select

from app.edge.dependencies import recorder, sqlalchemy_private
from app.edge.dependencies.engine_events import EngineListener

from .conftest import SCHEMA, memory, post


def test_the_installed_sqlalchemy_has_all_private_names() -> None:
    """The self-test passes with the pinned version."""
    assert sqlalchemy_private.find_missing_names() == []
    assert sqlalchemy_private.unsupported_reason() is None


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Select, "_distinct"), (SQLCompiler, "_compose_select_body"), (compiler, "_CompileLabel")],
    ids=["a SELECT", "the compiler", "a module"],
)
def test_without_a_private_name_nothing_is_shared(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, owner: object, name: str
) -> None:
    """One log line names it, queries run as before, and every record is unshareable."""
    monkeypatch.setattr(recorder, "_start_checks", {})
    engine = memory()
    with monkeypatch.context() as patch:
        patch.delattr(owner, name)
        EngineListener(SCHEMA).attach(engine)
    with recorder.recording() as record, engine.connect() as connection:
        assert connection.execute(sa.select(post)).all() == []
    engine.dispose()
    assert f".{name}, which the analysis needs" in (record.unshareable_reason or "")
    (line,) = [r for r in caplog.records if r.message.startswith("edge.sqlalchemy_unsupported: ")]
    assert name in line.message


def test_a_self_test_that_fails_shares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error of the self-test does not stop the application."""

    def fail() -> list[str]:
        raise TypeError

    monkeypatch.setattr(sqlalchemy_private, "find_missing_names", fail)
    assert "failed (TypeError)" in (sqlalchemy_private.unsupported_reason() or "")


def test_no_other_module_uses_a_private_name_of_sqlalchemy() -> None:
    """Private names of SQLAlchemy are used in this module only."""
    folder = Path(sqlalchemy_private.__file__).parent
    names = {
        name.lstrip(".")
        for name in re.findall(r"\._[a-zA-Z]\w+", Path(sqlalchemy_private.__file__).read_text())
    } - {"_select_stack", "_exists_selects"}
    texts = {path.name: path.read_text() for path in folder.glob("*.py")}
    del texts["sqlalchemy_private.py"]
    assert "_raw_columns" in names
    assert [
        (file, n)
        for file, text in texts.items()
        for n in names
        if re.search(rf"(?<![a-z]){n}\b", text)
    ] == []
