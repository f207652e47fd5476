from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.config import BY_NAME, ROOT
from app.edge.cdn.varnish.vcl_config import PARAMETERS
from tests.live.gunicorn import environment


def processes() -> dict[str, str]:
    """The Procfile's processes, and the command of each."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_a_platform_migrates_before_it_serves() -> None:
    """It runs the release process first, then the web process."""
    assert processes()["release"] == "flask db upgrade && flask edge release"
    assert processes()["web"] == "gunicorn wsgi:app"


def test_the_image_starts_what_the_platform_starts() -> None:
    """One way to serve, not as root, and watched."""
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = re.findall(r'^CMD \["(.*)"\]$', image, re.MULTILINE)
    assert [part.replace('", "', " ") for part in command] == [processes()["web"]]
    assert re.search(r"^USER (?!root)", image, re.MULTILINE)
    assert "/healthz" in image
    assert "--require-hashes" in image


def test_the_composition_says_only_settings_that_exist() -> None:
    """And migrates once, before the site starts."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    variables = {variable for setting in BY_NAME.values() for variable in setting.variables}
    assert services["web"]["environment"].keys() <= variables
    assert services["release"]["command"] == ["sh", "-c", processes()["release"]]
    assert services["web"]["depends_on"] == {
        "release": {"condition": "service_completed_successfully"},
    }


class _Composed(yaml.SafeLoader):
    """Knows the one tag of Compose that we use."""


_Composed.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))  # type: ignore[arg-type] # as it is written there


def test_the_composition_with_varnish_says_only_what_exists() -> None:
    """Its settings, its servers, and the parameters that the VCL asks for; no secret is in it."""
    text = (ROOT / "compose.varnish.yaml").read_text(encoding="utf-8")
    services = yaml.load(text, Loader=_Composed)["services"]
    variables = {variable for setting in BY_NAME.values() for variable in setting.variables}
    for name in ("edge", "web", "web2", "relay"):
        assert services[name]["environment"].keys() <= variables
    for host in re.findall(r"--origin http://(\w+):8000", services["edge"]["command"][2]):
        assert processes()["web"] in services[host]["command"][2]
    assert processes()["web"] in services["web2"]["command"][2]
    command = services["varnish"]["command"]
    assert tuple(command[n + 1] for n, word in enumerate(command) if word == "-p") == PARAMETERS


def shipped(folder: Path) -> Path:
    """A folder with what .dockerignore lets into the image, and nothing else."""
    folder.mkdir()
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert rules[0] == "*"
    skip = shutil.ignore_patterns("__pycache__")
    for rule in rules[1:]:
        name = rule.removeprefix("!").rstrip("/")
        source = ROOT / name
        if not rule.startswith("!") or not source.exists():
            continue
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=skip)
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.mark.slow
def test_what_is_shipped_in_the_image_is_enough(tmp_path: Path) -> None:
    """The site migrates and loads from the image's files alone."""
    image, data = shipped(tmp_path / "site"), tmp_path / "data"
    for command in ("flask db upgrade", "gunicorn --check-config wsgi:app"):
        ended = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=image,
            env=environment(data, {"PORT": "8000"}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
