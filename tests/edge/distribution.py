"""An environment with exactly the packages that the distribution of the library requires.

It consists of links to packages of the environment of the tests, so it needs no network.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

import app.edge

SOURCE = Path(app.edge.__file__).parent
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder and return its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=SOURCE, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


def install(
    wheel: Path, folder: Path, extras: Iterable[str] = (), others: Iterable[str] = ()
) -> None:
    """Unpack the wheel and link what it and its extras require, and other packages by name."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    texts = [*PROJECT["dependencies"], *others]
    for extra in extras:
        texts += EXTRAS[extra]
    for name in closure(texts):
        link_files(distribution(name), folder)


def closure(texts: Iterable[str]) -> set[str]:
    """Return the names of the required distributions and of all that these require."""
    names: set[str] = set()
    queue = [Requirement(text) for text in texts]
    while queue:
        requirement = queue.pop()
        if requirement.name in names or requirement.name == PROJECT["name"]:
            continue
        names.add(requirement.name)
        for text in distribution(requirement.name).requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                queue.append(needed)
    return names


def link_files(dist: Distribution, folder: Path) -> None:
    """Link the top folders and modules of an installed distribution."""
    for top in {
        file.parts[0] for file in dist.files or () if file.parts[0] not in {"..", "__pycache__"}
    }:
        source = Path(str(dist.locate_file(top)))
        if not (folder / top).exists():
            (folder / top).symlink_to(source)


def run(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code that sees the standard library and the packages in this folder only."""
    library = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    library.append(str(Path(library[0]) / "lib-dynload"))
    start = f"import sys; sys.path[:] = {[str(folder), *library]!r}\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", start + code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
    )
