from __future__ import annotations

import re
import tomllib
from typing import Any

from app.config import ROOT
from app.middleware import LAYERS

MAP = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part of the map below a heading."""
    _, _, rest = MAP.partition(f"## {title}\n")
    assert rest, f"docs/architecture.md has no section {title!r}"
    return rest.partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The first cell of each row of a table, without its heading."""
    return [row.split("|")[1].strip() for row in text.splitlines() if row.startswith("|")][2:]


def contracts() -> list[dict[str, Any]]:
    """The import contracts of the project."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed: list[dict[str, Any]] = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return listed


def edge_layers() -> list[set[str]]:
    """The layers of the rooms of `app.edge`, the highest first."""
    (contract,) = [each for each in contracts() if each.get("containers") == ["app.edge"]]
    assert contract["exhaustive"]
    return [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]


def rooms(title: str) -> list[str]:
    """The rooms that a table of the map names, in its order."""
    cells = first_cells(section(title))
    names = [name for cell in cells for name in re.findall(r"`([\w.]+)/?`", cell)]
    return [name.removesuffix(".py") for name in names]


def test_the_map_names_every_layer_in_order() -> None:
    """The table lists the classes of `LAYERS`, then Flask."""
    names = [cell.strip("`") for cell in first_cells(section("The layers that a request meets"))]
    assert names == [*(layer.type.__name__ for layer in LAYERS), "Flask"]


def test_the_map_names_the_module_of_every_layer() -> None:
    """Each row of the table has the file that defines the class."""
    text = section("The layers that a request meets")
    for layer in LAYERS:
        (row,) = [row for row in text.splitlines() if row.startswith(f"| `{layer.type.__name__}`")]
        path = re.findall(r"`(app/[\w/]+)\.py`", row)
        assert path == [layer.type.__module__.replace(".", "/")]


def test_the_map_names_the_rooms_of_the_library() -> None:
    """The table has exactly the rooms of the import contract, a higher layer before a lower one."""
    layers = edge_layers()
    names = rooms("The rooms of `app/edge/`")
    assert sorted(names) == sorted(set().union(*layers))
    depths = [next(n for n, layer in enumerate(layers) if name in layer) for name in names]
    assert depths == sorted(depths)


def test_the_map_names_the_rooms_of_the_app() -> None:
    """The table has every module and package of `app`, apart from small modules of the wiring."""
    names = set(rooms("The rooms of `app/`"))
    packages = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert packages <= names
    (contract,) = [each for each in contracts() if each["name"] == "Every arrow points down"]
    layered = {name for layer in contract["layers"] for name in re.findall(r"app\.(\w+)", layer)}
    assert layered <= names


def test_every_file_that_the_map_names_exists() -> None:
    """A path begins at the repository, at `app/` or at `app/edge/`."""
    paths = set(re.findall(r"`([\w./]+(?:\.py|\.md|/))`", MAP)) - {"__init__.py"}
    assert len(paths) > 40
    bases = (ROOT, ROOT / "app", ROOT / "app/edge")
    assert [path for path in sorted(paths) if not any((b / path).exists() for b in bases)] == []
