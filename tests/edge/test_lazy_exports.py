"""The packages of the library export names whose modules are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import app.edge
from app.edge.lazy_exports import export_lazily

ROOT = Path(app.edge.__file__).parent
PACKAGES = sorted(
    ".".join(("app", "edge", *file.parent.relative_to(ROOT).parts))
    for file in ROOT.rglob("__init__.py")
    if "export_lazily" in file.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", PACKAGES)
def test_each_export_is_found_and_is_no_module(name: str) -> None:
    """An export with the name of a module would be that module once it is imported."""
    package = import_module(name)
    folder = ROOT.joinpath(*name.split(".")[2:])
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert package.__all__
    for export in package.__all__:
        assert getattr(package, export) is not None
        assert export not in modules


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`hasattr` and `from … import` fail as for any other package."""
    find_export = export_lazily("app.edge.purge", {"Relay": "relay"})
    with pytest.raises(AttributeError, match=r"'app\.edge\.purge' has no attribute 'Rely'"):
        find_export("Rely")
