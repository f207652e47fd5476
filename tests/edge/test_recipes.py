"""The recipes in docs/library run: their files pass their own tests beside a copy of the library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import app.edge

from .library_copy import copy_library

ROOM = Path(app.edge.__file__).parent
RECIPES = ROOM.parent.parent / "docs" / "library"
_FILE = re.compile(r"^`([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def extract_files(recipe: str, folder: Path) -> list[str]:
    """Write the files of a recipe into a folder, and return their names.

    A file is a block of code after a line that begins with its name and ends in a colon.
    """
    text = (RECIPES / recipe).read_text(encoding="utf-8")
    files = dict(_FILE.findall(text))
    assert text.count("\n```") == 2 * len(files), (
        "Each block of code has a line with its file name."
    )
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return sorted(files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a copy of the library under the name `edge`."""
    return copy_library(tmp_path, "edge")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "names", "count"),
    [
        (
            "login-corner.md",
            [
                "app.py",
                "static/corner.js",
                "templates/corner.html",
                "templates/home.html",
                "templates/login.html",
                "test_app.py",
            ],
            4,
        )
    ],
)
def test_a_recipe_passes_its_own_tests(
    folder: Path, recipe: str, names: list[str], count: int
) -> None:
    """Without any other file."""
    assert extract_files(recipe, folder) == names
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, str(folder)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert f"{count} passed" in result.stdout, result.stdout + result.stderr
