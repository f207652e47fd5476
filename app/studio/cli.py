"""The commands of `flask users`: what the studio does in a browser, without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from flask import Flask
from flask.cli import AppGroup

from app.extensions import db
from app.publishing.errors import PublishingError
from app.publishing.models import Purpose, Role
from app.publishing.permissions import SYSTEM

from . import accounts, passwords
from .links import link_url

users = AppGroup("users", help="Add, invite, list and disable the users of the studio.")

_ROLE = click.Choice([role.value for role in Role])


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(users)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except PublishingError as error:
        raise click.ClickException(str(error)) from None


def _now() -> datetime:
    return datetime.now(UTC)


@users.command("add")
@click.argument("email")
@click.option("--name", prompt=True, help="The name that the studio shows.")
@click.option("--role", type=_ROLE, default=Role.WRITER.value, show_default=True)
@click.password_option(help="Without it, the command asks for it.")
def add_command(email: str, name: str, role: str, password: str) -> None:
    """Add a user with a password."""
    with _one_sentence():
        email = accounts.clean_email(email)
        passwords.check_new(password, email)
        new = accounts.NewUser(
            email=email, name=name, password_hash=passwords.hash_password(password)
        )
        accounts.add_user(new, Role(role), now=_now(), actor=SYSTEM)
    click.echo(f"{email} is {_a(role)} now.")


@users.command("invite")
@click.argument("email")
@click.option("--role", type=_ROLE, default=Role.WRITER.value, show_default=True)
@click.option("--owner", is_flag=True, help="The same as --role owner.")
def invite_command(email: str, role: str, *, owner: bool) -> None:
    """Print a link by which EMAIL makes an account; it is valid for 72 hours and for one use."""
    role_of_user = Role.OWNER if owner else Role(role)
    with _one_sentence():
        token = accounts.invite(email, role_of_user, now=_now(), actor=SYSTEM)
    click.echo(link_url(Purpose.INVITE, token))


@users.command("list")
def list_command() -> None:
    """List the users with their roles."""
    for user in accounts.list_users(db.session()):
        state = "" if user.active else "  (disabled)"
        click.echo(f"{user.role:<7} {user.email}  {user.name}{state}")


@users.command("disable")
@click.argument("email")
def disable_command(email: str) -> None:
    """Disable an account and end its sessions."""
    with _one_sentence():
        user = accounts.find_user(db.session(), email)
        accounts.set_active(user.id, active=False, now=_now(), actor=SYSTEM)
    click.echo(f"{email} is disabled, and the sessions of this account have ended.")


@users.command("enable")
@click.argument("email")
def enable_command(email: str) -> None:
    """Enable a disabled account again."""
    with _one_sentence():
        user = accounts.find_user(db.session(), email)
        accounts.set_active(user.id, active=True, now=_now(), actor=SYSTEM)
    click.echo(f"{email} is enabled.")


@users.command("reset")
@click.argument("email")
def reset_command(email: str) -> None:
    """Print a link by which a user sets a new password; it is valid for an hour and for one use."""
    with _one_sentence():
        user = accounts.find_user(db.session(), email)
        token = accounts.make_reset_link(user.id, now=_now(), actor=SYSTEM)
    click.echo(link_url(Purpose.RESET, token))


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
