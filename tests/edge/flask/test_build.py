"""The code of an app has one digest: it changes with each source and each version."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.edge.dependencies import recorder
from app.edge.dependencies.part import Part
from app.edge.flask import Edge
from app.edge.flask.build import CODE, RESOURCE, AppBuild, Code
from app.edge.flask.templates import ABSENT
from app.extensions import edge

FILES = {
    "__init__": "from . import site",
    "models": "TITLE = 'a'",
    "site.__init__": "from . import home",
    "site.home": "from ..models import TITLE\n",
    "site.notes": "a module that is not imported yet",
}


def write_module(folder: Path, name: str, source: str) -> None:
    """Save a module of the package `small`."""
    path = folder.joinpath("small", *name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a small package that is imported."""
    for name, source in FILES.items():
        write_module(tmp_path, name, source)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("small")
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "small"]:
        del sys.modules[name]


@pytest.mark.parametrize("name", [*FILES, "new", "site.new"])
def test_an_edit_of_any_module_changes_the_digest(folder: Path, name: str) -> None:
    """Views, models, packages, modules that are imported late and new modules alike."""
    before = Code.load(["small"]).digest()
    write_module(folder, name, "# another text\n" + FILES.get(name, ""))
    assert Code.load(["small"]).digest() != before


def test_a_deleted_or_renamed_module_changes_the_digest(folder: Path) -> None:
    """The names of the modules are part of it, besides their sources."""
    digests = [Code.load(["small"]).digest()]
    notes = folder / "small" / "site" / "notes.py"
    notes.rename(notes.with_name("remarks.py"))
    digests.append(Code.load(["small"]).digest())
    notes.with_name("remarks.py").unlink()
    digests.append(Code.load(["small"]).digest())
    assert len(set(digests)) == len(digests)


def test_the_same_code_has_the_same_digest(folder: Path) -> None:
    """Other files and the times of files do not count."""
    before = Code.load(["small"]).digest()
    (folder / "small" / "notes.txt").write_text("not a module", encoding="utf-8")
    write_module(folder, "models", FILES["models"])
    assert Code.load(["small"]).digest() == before


def test_an_app_of_one_module_has_code(folder: Path) -> None:
    """`flask --app small.models` need not be a package."""
    del folder
    importlib.import_module("small.models")
    assert Code.load(["small.models"]).modules == {"small.models": FILES["models"].encode()}


def test_versions_are_part_of_the_code() -> None:
    """An upgrade of a library changes the digest."""
    old = Code(modules={"a": b""}, platform="jinja2 3.1")
    new = Code(modules={"a": b""}, platform="jinja2 3.2")
    assert old.digest() != new.digest()
    assert "jinja2 " in Code.load([]).platform


def test_a_digest_is_computed_again_after_a_reset(make_app: Callable[..., Flask]) -> None:
    """A command that runs for long may release twice; a part of an unknown kind has no digest."""
    app = make_app()
    build: AppBuild = app.extensions["edge"].tracker.parts
    before, build_id = build.digest(CODE, "app"), build.build_id
    build.code = Code(modules={"app": b"edited"}, platform="")
    assert (build.digest(CODE, "app"), build.build_id) == (before, build_id)
    build.reset()
    assert build.digest(CODE, "app") == build.code.digest() != before
    assert build.build_id != build_id
    assert build.digest("of a later release", "app") == ""


def test_every_page_depends_on_one_part_for_the_whole_code(make_app: Callable[..., Flask]) -> None:
    """A part of a single view module, as earlier releases registered it, counts as changed."""
    build: AppBuild = make_app().extensions["edge"].tracker.parts
    (part,) = [part for part in build.common_parts() if part.kind == CODE]
    assert (part.name, part.digest) == ("app", build.code.digest())
    assert build.digest(CODE, "app") == part.digest
    assert build.digest(CODE, "app.site.articles") == ""


def test_a_resource_of_the_app_is_part_of_the_build(make_app: Callable[..., Flask]) -> None:
    """Another digest, another file and a missing one each make another build."""
    app = make_app()
    state = app.extensions["edge"]
    build: AppBuild = state.tracker.parts
    builds = [build.build_id]
    for digests in ({"words de": "1"}, {"words de": "2"}, {"words de": "2", "words fr": "1"}):
        edge.add_resources(app, digests)
        builds.append(build.build_id)
    assert build.digest(RESOURCE, "words de") == build.resource("words de").digest == "2"
    app.extensions["edge"].resources.clear()
    build.reset()
    builds.append(build.build_id)
    assert len(set(builds)) == len(builds)


def test_the_absence_of_a_resource_is_a_part(make_app: Callable[..., Flask]) -> None:
    """A page that would show it, if it existed, is purged when it is added."""
    build: AppBuild = make_app().extensions["edge"].tracker.parts
    absent = build.resource("words nl")
    assert build.digest(RESOURCE, "words nl") == absent.digest != ""


def test_a_page_records_the_resources_that_it_shows(make_app: Callable[..., Flask]) -> None:
    """Each with its digest."""
    app = make_app()
    edge.add_resources(app, {"words de": "1"})
    with app.test_request_context(), recorder.recording() as record:
        edge.record_resource("words de")
        edge.record_resource("words nl")
    parts = {part.name: part.digest for part in record.dependencies if isinstance(part, Part)}
    assert parts == {"words de": "1", "words nl": ABSENT}


def test_an_app_without_a_database_has_no_resources_to_record() -> None:
    """Nothing is purged for it, so nothing has to be recorded."""
    app = Flask("small")
    own = Edge()
    own.init_app(app)
    own.add_resources(app, {"words de": "1"})
    with app.test_request_context():
        own.record_resource("words de")
    assert app.extensions["edge"].resources == {"words de": "1"}
