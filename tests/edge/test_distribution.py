"""The library as a distribution of its own: its wheel, and the packages that each level needs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from . import distribution as dist

pytestmark = [pytest.mark.slow, pytest.mark.ci]

ALL = ("sqlalchemy", "lmdb", "brotli", "httpx", "httpcore")
HELLO = """
from flask import Flask
from flask_edgecache import Edge, Policy, cached, days

app = Flask("hello", static_folder=None)
Edge().init_app(app)

@app.get("/")
@cached(Policy("PAGE", edge=days(1)))
def home():
    return "hello" * 300

client = app.test_client()
first, second = client.get("/"), client.get("/")
print(first.headers["Cache-Control"], second.headers.get("Cache-Status"), sep="|")
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(%r)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once."""
    return dist.build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=[(), ("gateway",), ("gateway", "sqlalchemy"), ("all",)])
def level(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[tuple[str, ...], Path]:
    """The extras of a level, and a folder that has only what they require."""
    extras = ("gateway", "sqlalchemy", "cdn") if request.param == ("all",) else request.param
    folder = tmp_path_factory.mktemp("level") / "packages"
    dist.install(wheel, folder, extras)
    return extras, folder


def test_the_wheel_has_the_type_marker_the_licence_and_the_templates(wheel: Path) -> None:
    """Type checkers see the annotations, and the generated configurations find their templates."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("py.typed", "README.md", "cdn/nginx.conf", "cdn/varnish/varnish.vcl"):
        assert f"flask_edgecache/{name}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    root = dist.SOURCE.parents[1]
    assert (dist.SOURCE / "LICENSE").read_text() == (root / "LICENSE").read_text()


def test_the_wheel_has_every_module(wheel: Path) -> None:
    """No module is left out, and nothing else is in it."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith(".py")}
    modules = {f"flask_edgecache/{p.relative_to(dist.SOURCE)}" for p in dist.SOURCE.rglob("*.py")}
    assert names == modules


def test_a_level_works_with_only_its_requirements(level: tuple[tuple[str, ...], Path]) -> None:
    """A view with a policy is served; with the gateway the second response is a HIT."""
    extras, folder = level
    result = dist.run(folder, HELLO % (ALL,))
    assert result.returncode == 0, result.stderr
    headers, modules = result.stdout.splitlines()
    assert headers.startswith("max-age=0")
    if "gateway" in extras:
        assert "hit" in headers
        assert modules == "brotli lmdb"
    else:
        assert headers.endswith("|None")
        assert not modules


def test_a_missing_extra_is_named(level: tuple[tuple[str, ...], Path]) -> None:
    """`EDGE_GATEWAY=on` and `track()` say which packages are missing and how to install them."""
    extras, folder = level
    code = """
from flask import Flask
from flask_edgecache import Edge, PolicyError

for settings in ({"EDGE_GATEWAY": "on"}, {"EDGE_GATEWAY": "off"}):
    app = Flask("hello", static_folder=None)
    app.config.update(settings)
    try:
        Edge().init_app(app)
        Edge().track(app, None, (), None, site="https://example.org")
    except PolicyError as error:
        print(error)
    except Exception as error:
        print(type(error).__name__)
"""
    lines = dist.run(folder, code).stdout.splitlines()
    if "gateway" not in extras:
        assert lines[0].startswith("EDGE_GATEWAY=on needs lmdb and brotli: install the extra")
        assert "pip install 'flask-edgecache[gateway]'" in lines[0]
    if "sqlalchemy" not in extras:
        assert lines[1].startswith("edge.track(…) needs sqlalchemy: install the extra [sqlalchemy]")


def test_a_command_without_its_packages_says_which_one_it_needs(
    level: tuple[tuple[str, ...], Path],
) -> None:
    """`flask edge` lists all commands at every level; one that can't run names the package."""
    extras, folder = level
    code = """
from flask import Flask
from flask_edgecache import Edge
app = Flask("hello", static_folder=None)
app.config["EDGE_GATEWAY"] = "off"
Edge().init_app(app)
run = app.test_cli_runner().invoke
print(run(args=["edge", "--help"]).exit_code)
print(run(args=["edge", "routes"]).exit_code)
print(run(args=["edge", "status", "--json"]).output.strip())
"""
    lines = dist.run(folder, code).stdout.splitlines()
    assert lines[:2] == ["0", "0"]
    if "sqlalchemy" not in extras:
        assert (
            lines[2] == "Error: This command needs the package sqlalchemy, which is not installed."
        )


QUICKSTART = """
import re
from pathlib import Path

import flask_edgecache
readme = (Path(flask_edgecache.__file__).parent / "README.md").read_text(encoding="utf-8")
code = re.search(r'```python\\n(\"\"\"A whole quickstart.*?)```', readme, re.DOTALL)[1]
namespace = {"__name__": "example"}
exec(code.replace("from edge import", "from flask_edgecache import"), namespace)
app, db, Post = (namespace[name] for name in ("app", "db", "Post"))
app.testing = True
with app.app_context():
    db.session.add(Post(id=1, title="One"))
    db.session.commit()
client = app.test_client()
for title in ("Two", "Three"):
    for _ in range(2):
        response = client.get("/posts/1", base_url="http://localhost:8000")
        print(response.text, "hit" in response.headers.get("Cache-Status", ""))
    with app.app_context():
        db.session.get(Post, 1).title = title
        db.session.commit()
run = app.test_cli_runner().invoke
for command in ("triggers", "release", "status", "purge", "relay", "routes", "who", "why"):
    result = run(args=["edge", command, "--help"])
    print(command, result.exit_code, "needs the package" in result.output)
result = run(args=["edge", "status"])
assert result.exit_code == 0, result.output
"""


@pytest.mark.parametrize("extras", [("sqlalchemy",), ("gateway", "sqlalchemy")])
def test_the_database_level_needs_no_package_of_the_cdn_level(
    wheel: Path, tmp_path: Path, extras: tuple[str, ...]
) -> None:
    """The quickstart runs without httpx, with and without the gateway, and so do its commands."""
    folder = tmp_path / "packages"
    dist.install(wheel, folder, extras, ("flask-sqlalchemy",))
    result = dist.run(folder, QUICKSTART)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    is_stored = "gateway" in extras
    assert lines[:4] == ["One False", f"One {is_stored}", "Two False", f"Two {is_stored}"]
    assert [line.partition(" ")[2] for line in lines[4:]] == ["0 False"] * 8, lines
