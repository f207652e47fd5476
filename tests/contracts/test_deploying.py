from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask import Flask

from app import create_app
from app.config import BY_NAME, ROOT
from app.edge.audit.checks import all_finding_types
from app.edge.cdn import DRIVER_SETTINGS
from app.edge.policy.cdn_headers import DIALECTS

from .test_deploy import processes

OVERVIEW = ROOT / "docs" / "deploying.md"
FOLDER = ROOT / "docs" / "deploying"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))
EDGES = sorted({*DIALECTS, *DRIVER_SETTINGS} - {"broadsheet"} | {"none"})
PLATFORMS = ("docker", "fly", "heroku", "railway", "render", "systemd")
VARIABLES = {variable for setting in BY_NAME.values() for variable in setting.variables}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
ROW = re.compile(r"^\|(.+)\|(.+)\|(.+)\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> click.Group:
    """Every command of the app."""
    folder = tmp_path_factory.mktemp("instance")
    app: Flask = create_app({"INSTANCE": str(folder), "SECRET_KEY": "x", "EDGE_RELAY": False})
    return app.cli


def released() -> dict[str, str]:
    """What each platform runs before the new version serves."""
    railway = json.loads(text_of("railway.json"))["deploy"]["preDeployCommand"]
    return {
        "fly": fly()["deploy"]["release_command"],
        "railway": " ".join(railway),
        "render": render()["preDeployCommand"],
    }


def text_of(name: str) -> str:
    """A file of the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def fly() -> dict[str, Any]:
    """What Fly.io reads."""
    return tomllib.loads(text_of("fly.toml"))


def render() -> dict[str, Any]:
    """The web service that Render makes."""
    service: dict[str, Any] = yaml.safe_load(text_of("render.yaml"))["services"][0]
    return service


def unit(key: str) -> list[str]:
    """The values of a key in the unit for systemd."""
    return re.findall(rf"^{key}=(.+)$", text_of("deploy/broadsheet.service"), re.MULTILINE)


def names_in_examples() -> dict[str, set[str]]:
    """The variables that each platform's file sets."""
    lines = text_of("deploy/broadsheet.env").splitlines()
    return {
        "heroku": set(json.loads(text_of("app.json"))["env"]),
        "render": {each["key"] for each in render()["envVars"]},
        "fly": set(fly()["env"]),
        "systemd": {line.split("=")[0] for line in lines if line and not line.startswith("#")}
        | {value.split("=")[0] for value in unit("Environment")} - {"PYTHONUNBUFFERED"},
    }


@pytest.mark.parametrize("platform", ["fly", "heroku", "render", "systemd"])
def test_a_platform_is_told_only_settings_that_exist(platform: str) -> None:
    """And where the site is, since no platform's file can know it."""
    assert names_in_examples()[platform] <= VARIABLES
    assert "SITE_URL" in names_in_examples()[platform]
    assert "FLASK_PROXIES" in names_in_examples()[platform]


@pytest.mark.parametrize("platform", ["fly", "railway", "render"])
def test_a_platform_releases_before_it_serves(platform: str) -> None:
    """By what the Procfile says, in a shell, for there are two commands."""
    assert shlex.split(released()[platform]) == ["sh", "-c", processes()["release"]]


def test_systemd_releases_before_it_serves() -> None:
    """Each command is one of the virtual environment in the folder of the site."""
    bin_folder = f"{unit('WorkingDirectory')[0]}/.venv/bin/"
    starting = [command.removeprefix(bin_folder) for command in unit("ExecStartPre")]
    assert " && ".join(starting) == processes()["release"]
    assert unit("ExecStart") == [bin_folder + processes()["web"]]


def test_a_platform_watches_what_the_app_answers() -> None:
    """What restarts a process asks no database; what is asked once, at a deploy, does."""
    assert render()["healthCheckPath"] == "/healthz"
    assert [check["path"] for check in fly()["http_service"]["checks"]] == ["/healthz"]
    assert json.loads(text_of("railway.json"))["deploy"]["healthcheckPath"] == "/readyz"


def test_a_platform_waits_until_requests_are_answered() -> None:
    """It asks by SIGTERM, and leaves more time than gunicorn takes."""
    match = re.search(r"^graceful_timeout = (\d+)$", text_of("gunicorn.conf.py"), re.MULTILINE)
    assert match
    draining = json.loads(text_of("railway.json"))["deploy"]["drainingSeconds"]
    patience = (fly()["kill_timeout"], draining, render()["maxShutdownDelaySeconds"])
    assert min(*patience, int(unit("TimeoutStopSec")[0])) > int(match[1])
    assert fly()["kill_signal"] == "SIGTERM"


def test_the_image_and_the_platforms_agree() -> None:
    """On the port; and no line of the image is one that a platform refuses."""
    image = text_of("Dockerfile")
    assert fly()["http_service"]["internal_port"] == int(fly()["env"]["PORT"])
    assert fly()["build"]["dockerfile"] == "Dockerfile"
    assert json.loads(text_of("railway.json"))["build"]["dockerfilePath"] == "Dockerfile"
    assert not re.search(r"^VOLUME", image, re.MULTILINE)


def test_no_platform_keeps_its_texts_on_a_disk_that_goes() -> None:
    """A database comes with it."""
    assert json.loads(text_of("app.json"))["addons"][0]["plan"].startswith("heroku-postgresql")
    assert "DATABASE_URL" in names_in_examples()["render"]
    blueprint = yaml.safe_load(text_of("render.yaml"))
    assert [one["name"] for one in blueprint["databases"]] == [
        each["fromDatabase"]["name"] for each in render()["envVars"] if "fromDatabase" in each
    ]


def test_every_edge_and_every_platform_has_its_page() -> None:
    """And no page is about another; the overview leads to each."""
    assert sorted(f"{name}.md" for name in (*EDGES, *PLATFORMS)) == PAGES
    targets = LINK.findall(OVERVIEW.read_text(encoding="utf-8"))
    assert {f"deploying/{page}" for page in PAGES} <= set(targets)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_it_costs_and_what_can_go_wrong(page: str) -> None:
    """And names the findings that tell; each is one of `flask edge check`."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    assert "\n## What it costs\n" in text
    wrong = text.split("\n## What can go wrong\n")[1]
    finding_ids = {kind.id for kind in all_finding_types()}
    finding_names = [name for row in ROW.findall(text) for name in findings(row)]
    assert set(finding_names) <= finding_ids
    assert {name for row in ROW.findall(wrong) for name in findings(row)}


def findings(row: tuple[str, str, str]) -> list[str]:
    """The findings that a row of a table names, in its second or third column."""
    cells = [cell for cell in row[1:] if re.fullmatch(r"[\s,]*(`[a-z]+(-[a-z]+)+`[\s,]*)+", cell)]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("page", ["deploying.md", *(f"deploying/{page}" for page in PAGES)])
def test_every_link_leads_to_a_page(page: str) -> None:
    """Within the folder of pages, so that it holds on the site as well."""
    path = ROOT / "docs" / page
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        there = (path.parent / target).resolve()
        assert there.is_file(), target
        assert there.is_relative_to(ROOT / "docs"), target


@pytest.mark.parametrize("page", ["deploying.md", *(f"deploying/{page}" for page in PAGES)])
def test_every_setting_of_a_page_exists(page: str) -> None:
    """What begins as ours is ours."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert set(re.findall(r"\bFLASK_[A-Z_]*[A-Z]\b", text)) <= VARIABLES


@pytest.mark.parametrize("page", ["deploying.md", *(f"deploying/{page}" for page in PAGES)])
def test_every_command_of_a_page_exists(page: str, commands: click.Group) -> None:
    """With the options that it is given."""
    for words in spoken(ROOT / "docs" / page):
        command: click.Command = commands
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            subcommand = command.get_command(click.Context(command), words.pop(0))
            assert subcommand, f"{page}: no such command below {command.name}"
            command = subcommand
        options = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}


def spoken(path: Path) -> Iterator[list[str]]:
    """The words after `flask` of each command in the code of a page."""
    for fenced, inline in CODE.findall(path.read_text(encoding="utf-8")):
        code = (fenced or inline).replace("\\\n", " ")
        for match in re.finditer(r"(?<![\w-])flask ([^\n&|>;#\"]+)", code):
            yield shlex.split(match[1])
