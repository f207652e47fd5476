"""The commands of `flask users`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app.extensions import db
from app.publishing.models import Role, User
from app.studio import passwords

from .people import PASSWORD, add_person, count_logins, sign_in

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run `flask users` with these arguments."""
    return lambda *arguments, **options: app.test_cli_runner().invoke(
        args=["users", *arguments], **options
    )


def path_in(output: str) -> str:
    """Return the path of the printed link."""
    return output.strip().removeprefix("http://127.0.0.1:8000")


def test_add_makes_a_user_with_a_password(run: Run) -> None:
    """The password is asked for, twice, and is not printed."""
    result = run(
        "add", "Ada@example.com", "--role", "owner", input=f"Ada\n{PASSWORD}\n{PASSWORD}\n"
    )
    assert result.exit_code == 0, result.output
    assert "ada@example.com is an owner now." in result.output
    assert PASSWORD not in result.output
    user = db.session.scalars(sa.select(User)).one()
    assert (user.name, user.role) == ("Ada", Role.OWNER)
    assert passwords.verify(PASSWORD, user.password_hash)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "ada", "--name", "A", "--password", PASSWORD), "name@example.com"),
        (("add", "a@b.org", "--name", "A", "--password", "short"), "at least 10"),
        (("add", "owner@example.com", "--name", "A", "--password", PASSWORD), "account already"),
        (("invite", "owner@example.com"), "account already"),
        (("disable", "owner@example.com"), "only active owner"),
        (("disable", "nobody@example.com"), "No user has the address"),
        (("reset", "nobody@example.com"), "No user has the address"),
        (("enable", "nobody@example.com"), "No user has the address"),
    ],
)
def test_a_refusal_is_one_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """It says what was wrong; nothing has changed."""
    add_person()
    result = run(*arguments)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_invite_prints_a_link_that_opens(app: Flask, run: Run) -> None:
    """`--owner` invites an owner."""
    result = run("invite", "ada@example.com", "--owner")
    page = app.test_client().get(path_in(result.output))
    assert page.status_code == 200
    assert "ada@example.com" in page.text


def test_reset_prints_a_link_that_opens(app: Flask, run: Run) -> None:
    """For an owner who has lost the password, too."""
    add_person()
    result = run("reset", "OWNER@example.com")
    assert app.test_client().get(path_in(result.output)).status_code == 200


def test_disable_ends_the_sessions(app: Flask, run: Run) -> None:
    """And `list` shows who is disabled; `enable` enables the account again."""
    add_person()
    browser = sign_in(app, add_person(Role.WRITER))
    assert run("disable", "writer@example.com").exit_code == 0
    assert count_logins() == 0
    assert browser.get("/studio").status_code == 303
    assert run("list").output.splitlines() == [
        "owner   owner@example.com  Owner",
        "writer  writer@example.com  Writer  (disabled)",
    ]
    assert run("enable", "writer@example.com").exit_code == 0
    assert "disabled" not in run("list").output
