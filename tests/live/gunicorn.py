"""The site on a real server: `serve(DATABASE_URL=…)` starts gunicorn as an operator would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from .forked_python import run_python
from .programs import PACKED, Running, free_port, running_python

Serve = Callable[..., Running]
OURS = ("FLASK_", "DATABASE_URL", "PORT", "SECRET_KEY", "SITE_URL", "WEB_CONCURRENCY", "CI")

#: A killed server stops at once; one that is measured must write its coverage data first.
STOP = signal.SIGTERM if "COVERAGE_PROCESS_CONFIG" in os.environ else signal.SIGKILL


def environment(instance: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the site: nothing of the developer's own settings."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    own = {
        "FLASK_SKIP_DOTENV": "1",
        "FLASK_APP": "wsgi.py",
        "FLASK_INSTANCE": str(instance),
        "FLASK_EDGE_BUILD": str(PACKED),
        "FLASK_EDGE_REFILL": "off",  # or a test that counts misses would have to race it
    }
    return {**variables, **own, "SECRET_KEY": "test", **settings}


def flask(
    *arguments: str, instance: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a `flask` command to its end."""
    return run_python(["-m", "flask", *arguments], env=environment(instance, settings or {}))


def gunicorn(
    *, instance: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run gunicorn to its end: for starts that must fail."""
    return run_python(["-m", "gunicorn", "wsgi:app"], env=environment(instance, settings or {}))


@pytest.fixture
def serve(tmp_path: Path, migrated: Path) -> Iterator[Serve]:
    """Start the site with these settings over a migrated database; it stops with the test."""
    with ExitStack() as stack:

        def start(**settings: str) -> Running:
            port = free_port()
            instance = tmp_path / f"instance-{port}"
            instance.mkdir()
            shutil.copy(migrated, instance / "broadsheet.db")
            own = {"FLASK_PORT": str(port), "FLASK_BIND": "127.0.0.1", "WEB_CONCURRENCY": "1"}
            started = running_python(
                ["-m", "gunicorn", "wsgi:app"],
                port=port,
                log=tmp_path / f"gunicorn-{port}.log",
                env=environment(instance, {**own, **settings}),
                stop=STOP,
            )
            return stack.enter_context(started)

        yield start
