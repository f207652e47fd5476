"""Digests of code that affects every page, and of view modules that affect only their own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.edge.flask.source_code import Code

FILES = {
    "__init__": "from . import site, errors",
    "errors": "from .site import shared_view\n",
    "models": "TITLE = 'a'",
    "site.__init__": "from . import home, about, contact, shared_view",
    "site.home": "from ..models import TITLE\nfrom .about import SIZE\n",
    "site.about": "SIZE = 1",
    "site.contact": "SIZE = 2",
    "site.shared_view": "SIZE = 3",
}
VIEWS = ("small.site.home", "small.site.about", "small.site.contact", "small.site.shared_view")


class Package:
    """A package in a folder, which can be edited and read again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "small"
        for name, source in FILES.items():
            self.write(name, source)

    def write(self, name: str, source: str) -> None:
        """Save a module."""
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def changed_by(self, name: str, source: str) -> set[str]:
        """Return the modules whose digest an edit changes; "" is all other code."""
        before = self.digests()
        self.write(name, source)
        after = self.digests()
        return {one for one in before if before[one] != after.get(one)}

    def digests(self) -> dict[str, str]:
        """Every digest."""
        code = Code.load(["small"])
        view_digests = code.digest_view_modules(VIEWS)
        return view_digests | {"": code.digest(code.modules.keys() - view_digests.keys())}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """A small package that is imported."""
    sources = Package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("small")
    yield sources
    for name in [name for name in sys.modules if name.partition(".")[0] == "small"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("edited", "changed_modules"),
    [
        ("site.contact", {"small.site.contact"}),
        ("site.about", {"small.site.about", "small.site.home"}),
        ("site.home", {"small.site.home"}),
        ("site.shared_view", {""}),
        ("models", {""}),
        ("site.__init__", {""}),
        ("new", {""}),
    ],
    ids=["view", "imported-view", "importing-view", "used-elsewhere", "model", "package", "new"],
)
def test_an_edit_concerns_whom_it_may_concern(
    package: Package, edited: str, changed_modules: set[str]
) -> None:
    """Pages of other views keep their digests; code used elsewhere affects every page."""
    assert package.changed_by(edited, "# another text\n" + FILES.get(edited, "")) == changed_modules


def test_a_view_that_other_code_begins_to_use_is_common_from_then_on(package: Package) -> None:
    """That edit changes the common digest and the view's own."""
    assert package.changed_by("models", "from .site.contact import SIZE") == {
        "",
        "small.site.contact",
    }


def test_a_module_named_as_common_is_not_told_apart(package: Package) -> None:
    """It contains a hook for every page, which no import shows."""
    view_digests = Code.load(["small"]).digest_view_modules(VIEWS, ["small.site.contact"])
    assert "small.site.contact" not in view_digests


def test_versions_are_part_of_the_code() -> None:
    """An upgrade of a library changes every digest."""
    old = Code(modules={"a": b""}, packages=frozenset(), platform="jinja2 3.1")
    new = Code(modules={"a": b""}, packages=frozenset(), platform="jinja2 3.2")
    assert old.digest(["a"]) != new.digest(["a"])
    assert "jinja2 " in Code.load([]).platform
