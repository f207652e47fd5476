"""The README's tables match the code, and its examples run in a copy of the library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import app.edge
from app.edge.cdn import DRIVER_SETTINGS
from app.edge.cdn.setting import Setting
from app.edge.policy.cdn_headers import DIALECTS, Dialect
from app.edge.policy.guard import LEAK_REASONS
from app.edge.settings import SETTINGS

from .library_copy import copy_library

ROOM = Path(app.edge.__file__).parent
README = (ROOM / "README.md").read_text(encoding="utf-8")
SEPARATORS = {",": "comma", " ": "space"}


def table(name: str) -> list[list[str]]:
    """Return the cells of the table between two comments."""
    between = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert between is not None
    rows = between[1].strip().splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def dialect_row(dialect: Dialect) -> list[str]:
    """Return a dialect's row in the README."""
    fields = [*dialect.fields, *([dialect.seconds_field] if dialect.seconds_field else [])]
    fields += ["s-maxage"] if dialect.s_maxage else []
    tags = f"`{dialect.tags}`, {SEPARATORS[dialect.separator]}" if dialect.tags else "none"
    freshness = ", ".join(f"`{name}`" for name in fields)
    capped = (
        "unless purged"
        if dialect.name in DRIVER_SETTINGS and DRIVER_SETTINGS[dialect.name].required
        else "always"
    )
    return [
        dialect.name,
        freshness,
        tags,
        "no" if dialect.can_be_purged else capped,
        dialect.remark,
    ]


def setting_row(setting: Setting) -> list[str]:
    """Return a setting's row in the README."""
    default = "" if setting.default in {None, ""} else f"`{setting.default}`"
    return [f"`{setting.name}`", setting.type.__name__, setting.unit, default, setting.help]


def test_the_dialects_are_those_of_the_code() -> None:
    """The README has one row per dialect."""
    assert table("dialects") == [dialect_row(dialect) for dialect in DIALECTS.values()]


def test_the_reasons_are_those_of_the_guard() -> None:
    """The README explains every code of the log."""
    assert table("reasons") == [[f"`{code}`", reason] for code, reason in LEAK_REASONS.items()]


def test_the_settings_are_those_that_are_read() -> None:
    """Name, type, unit, default and help."""
    assert table("settings") == [setting_row(setting) for setting in SETTINGS]


@pytest.fixture
def copied_library(tmp_path: Path) -> Path:
    """Return a folder that holds a copy of the room, under another name, and nothing else."""
    return copy_library(tmp_path, "edge")


FIXTURES = """
import pytest
from example import create_app

@pytest.fixture
def app(tmp_path):
    app = create_app(
        TESTING=True, SECRET_KEY="k", EDGE="cloudflare", EDGE_STORE=str(tmp_path / "store")
    )
    yield app
"""
WITH_A_DATABASE = """
import pytest
from example import create_app, db, edge

@pytest.fixture
def app(tmp_path):
    url = f"sqlite:///{tmp_path / 'posts.db'}"
    app = create_app(
        TESTING=True,
        SQLALCHEMY_DATABASE_URI=url,
        EDGE_RELAY=False,
        EDGE_STORE=str(tmp_path / "store"),
    )
    with app.app_context():
        db.create_all()
        runner = app.test_cli_runner()
        assert runner.invoke(args=["edge", "triggers", "install"]).exit_code == 0
        assert runner.invoke(args=["edge", "release"]).exit_code == 0
        assert edge.trouble(app) is None
    yield app
    with app.app_context():
        db.engine.dispose()
"""
EXAMPLES = {"without a database": (0, FIXTURES, "3"), "with a database": (1, WITH_A_DATABASE, "1")}


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(("place", "fixture", "tests"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_runs_elsewhere(
    copied_library: Path, place: int, fixture: str, tests: str
) -> None:
    """The examples pass their own tests without the app around the library."""
    apps = re.findall(r'```python\n("""A whole app.*?)```', README, re.DOTALL)
    theirs = re.findall(r'```python\n("""Its tests.*?)```', README, re.DOTALL)
    (copied_library / "example.py").write_text(apps[place], encoding="utf-8")
    imported = "from example import MISSING, SEARCH\n" if place == 0 else ""
    (copied_library / "test_example.py").write_text(imported + theirs[place], encoding="utf-8")
    (copied_library / "conftest.py").write_text(fixture, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, str(copied_library)],
        cwd=copied_library,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{tests} passed" in result.stdout, result.stdout + result.stderr


@pytest.mark.slow
def test_the_quickstart_runs_and_is_short(copied_library: Path) -> None:
    """At most 20 lines of code; a page is a HIT until its row changes."""
    (code,) = re.findall(r'```python\n("""A whole quickstart.*?)```', README, re.DOTALL)
    lines = [line for line in code.splitlines()[1:] if line.strip()]
    assert len(lines) <= 20
    (copied_library / "example.py").write_text(code, encoding="utf-8")
    use = """
from example import Post, app, db

app.testing = True
client = app.test_client()
with app.app_context():
    db.session.add(Post(id=1, title="One"))
    db.session.commit()

def get():
    response = client.get("/posts/1", base_url="http://localhost:8000")
    print(response.text, "hit" in response.headers["Cache-Status"])

get()
get()
with app.app_context():
    db.session.get(Post, 1).title = "Two"
    db.session.commit()
get()
get()
"""
    result = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", use],
        cwd=copied_library,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == [
        *(["One", "False", "One", "True", "Two", "False", "Two", "True"])
    ], result


@pytest.mark.slow
def test_no_module_imports_the_app_around_it(copied_library: Path) -> None:
    """Each module can be imported where there is no `app`."""
    modules = sorted(
        ".".join(path.relative_to(copied_library).with_suffix("").parts).removesuffix(".__init__")
        for path in (copied_library / "edge").rglob("*.py")
    )
    code = f"import importlib; [importlib.import_module(name) for name in {modules!r}]"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=copied_library,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
