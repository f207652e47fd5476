"""Checks that a server process runs before it accepts the first request."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import click
from flask import Flask
from sqlalchemy.engine import make_url

from . import config, create_app, database, theme_folder
from .middleware import health
from .studio.setup import find_setup_url


class StartupError(click.ClickException):
    """The server can't start; the message says why, and what to do."""


def address(settings: Mapping[str, Any], *, public: bool) -> str:
    """Return the address to listen on, as gunicorn's `bind` expects it.

    On a platform that sets PORT, requests come from outside; elsewhere from this machine.
    """
    bind: str = settings["BIND"]
    if bind.startswith("unix:"):
        return bind
    host = bind or ("0.0.0.0" if public else "127.0.0.1")  # noqa: S104 - as the platform needs
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{host}:{settings['PORT']}"


def check_port(host: str, port: int) -> None:
    """Raise StartupError if the address can't be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise StartupError(
                f"Port {port} needs an administrator's rights: choose one above 1023 with PORT.",
            ) from None
        except OSError as error:
            raise StartupError(_refusal(host, port, error)) from None


def _refusal(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or "assign" in str(error):
        return f"{host} is no address of this machine: mend FLASK_BIND."
    return (
        f"Port {port} on {host} is in use: stop the program that listens there, "
        f"or choose another port, such as PORT={port % 65535 + 1}."
    )


def remove_log(settings: Mapping[str, Any]) -> None:
    """Remove SQLite's write-ahead log once no worker runs; a relative path is in the instance."""
    url = make_url(settings["DATABASE_URL"])
    if url.get_backend_name() == "sqlite" and url.database:
        file = config.instance_folder(os.environ, None) / url.database
        database.remove_log(url.set(database=str(file)))


def check_app() -> str:
    """Return the set-up link of the studio, empty if it has an owner.

    Raises StartupError unless the app can be created and its database is ready.
    """
    app = create_app()
    with app.app_context():
        problem = health.find_readiness_problem()
        warn_of_theme(app)
        if problem:
            raise StartupError(problem.detail)
        return find_setup_url() or ""


def warn_of_theme(app: Flask) -> None:
    """Print the faults of the theme; the site starts, since it falls back to its own templates."""
    for sentence in theme_folder.find_problems(app):
        click.echo(f"Warning: {sentence}.", err=True)


def ask_child(check: Callable[[], str]) -> str | None:
    """Run a check in a child process, so that the workers inherit none of its connections.

    Return its text, or None if it has failed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os._exit(_exit_status(lambda: os.write(writer, check().encode())))
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    return None if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) else text


def _exit_status(check: Callable[[], object]) -> int:
    try:
        check()
    except click.ClickException as error:
        sys.stderr.write(f"Error: {error.format_message()}\n")
    except Exception:  # noqa: BLE001 - the child process reports any exception before it ends
        traceback.print_exc()
    else:
        return 0
    finally:
        sys.stderr.flush()
    return 1
