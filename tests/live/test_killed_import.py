"""An import that is killed leaves whole posts and no processes, and the next one goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.publishing.blogs import png

from .live_site import eventually
from .programs import ROOT

pytestmark = [pytest.mark.live, pytest.mark.slow]

POSTS = 300
COUNTS = "{0} imported, 0 updated, {1} unchanged, 0 skipped."
WITHOUT = "SELECT count(*) FROM post WHERE id NOT IN (SELECT post_id FROM {0})"
LOST = {
    "posts without a record": WITHOUT.format("imported"),
    "posts without a redirect": WITHOUT.format("redirect"),
    "posts without a revision": WITHOUT.format("revision"),
    "posts without a cover": "SELECT count(*) FROM post WHERE cover_id IS NULL",
    "images without a post": (
        "SELECT count(*) FROM media WHERE id NOT IN (SELECT cover_id FROM post)"
    ),
    "posts not public": "SELECT count(*) FROM post WHERE status != 'published'",
}


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """A blog in which each post has a cover and an old address of its own."""
    for number in range(POSTS):
        folder = tmp_path / "blog" / f"post-{number}"
        folder.mkdir(parents=True)
        (folder / "cover.png").write_bytes(png(number, "cover"))
        (folder / "index.md").write_text(
            f"---\ntitle: Post {number}\ndate: 2020-01-01\naliases: [/old/{number}]\n"
            f"cover:\n  image: cover.png\n---\n" + "Some *words* on `code`.\n\n" * 30
        )
    return tmp_path / "blog"


@pytest.fixture
def environment(tmp_path: Path, migrated: Path) -> dict[str, str]:
    """The environment of a command over an empty database."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    return {**os.environ, "FLASK_INSTANCE": str(tmp_path), "SECRET_KEY": "test"}


def start(blog: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start an import with two processes for texts, in a session of its own."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "content", "import"]
    return subprocess.Popen(
        [*command, str(blog), "--jobs", "2"],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )


def count(database: Path, statement: str = "SELECT count(*) FROM post") -> int:
    """Return the number that a statement selects."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return int(connection.execute(statement).fetchone()[0])


def session_of(process: Path) -> int:
    """Return the session of a process in /proc, or 0 if it has ended."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except (OSError, ValueError):
        return 0


def has_processes(session: int) -> bool:
    """Whether a process of the session runs."""
    return any(session_of(path) == session for path in Path("/proc").glob("[0-9]*"))


def stop_early(running: subprocess.Popen[str], database: Path, number: signal.Signals) -> str:
    """Send a signal when the first posts are saved; return the output."""
    assert eventually(lambda: count(database) > 0, within=60)
    if number is signal.SIGINT:
        os.killpg(running.pid, number)  # as a terminal does
    else:
        running.send_signal(number)
    output, _ = running.communicate(timeout=60)
    return output


def test_a_killed_import_leaves_whole_posts_and_the_next_goes_on(
    blog: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """After kill -9, each post has its cover, redirect and record; no process is left."""
    database = tmp_path / "broadsheet.db"
    running = start(blog, environment)
    stop_early(running, database, signal.SIGKILL)
    assert eventually(lambda: not has_processes(running.pid), within=30)
    saved = count(database)
    assert 0 < saved < POSTS
    assert {name: count(database, statement) for name, statement in LOST.items()} == dict.fromkeys(
        LOST, 0
    )
    output, _ = start(blog, environment).communicate(timeout=120)
    assert COUNTS.format(POSTS - saved, saved) in output
    assert count(database) == POSTS


def test_ctrl_c_prints_the_report_of_what_is_saved(
    blog: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """The exit status is 130, and the report counts the posts in the database."""
    database = tmp_path / "broadsheet.db"
    running = start(blog, environment)
    output = stop_early(running, database, signal.SIGINT)
    saved = count(database)
    assert running.returncode == 130
    assert COUNTS.format(saved, 0) in output
    assert "import the folder again to go on" in output
    assert eventually(lambda: not has_processes(running.pid), within=30)
