"""The group `flask edge`: its commands are imported when they are used."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from app.edge.flask import cli
from app.edge.flask.cli import edge_cli


def test_every_listed_command_exists() -> None:
    """In alphabetical order, and an unknown name is none."""
    context = click.Context(edge_cli)
    names = edge_cli.list_commands(context)
    assert names == sorted(set(names))
    assert {"adopt", "check", "purge", "status"} <= set(names)
    commands = [edge_cli.get_command(context, name) for name in names]
    assert all(isinstance(command, click.Command) for command in commands)
    assert edge_cli.get_command(context, "unknown") is None


@pytest.mark.parametrize(("module", "package"), [("httpx", "httpx"), (None, "a package")])
def test_a_command_without_its_package_says_which_one_it_needs(
    monkeypatch: pytest.MonkeyPatch, module: str | None, package: str
) -> None:
    """With any options, also with --help."""

    def fail(*_: Any) -> Any:
        raise ModuleNotFoundError(name=module)

    monkeypatch.setattr(cli, "import_module", fail)
    command = edge_cli.get_command(click.Context(edge_cli), "check")
    assert command is not None
    for arguments in ([], ["https://x.example", "--json"], ["--help"]):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 1
        sentence = f"This command needs the package {package}, which is not installed."
        assert result.output == f"Error: {sentence}\n"


def test_the_commands_of_an_app_without_a_database_name_what_is_missing(app: Flask) -> None:
    """One sentence and no traceback."""
    run = app.test_cli_runner().invoke
    for arguments in (["status"], ["triggers", "check"], ["why", "/"]):
        result = run(args=["edge", *arguments])
        assert result.exit_code == 1
        assert result.output.splitlines()[-1].startswith("Error: This app ")
