"""A process that publishes is killed at every point: the post is published whole, or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import CopyFields, Draft
from app.publishing.models import Post, Publication, Revision, WorkingCopy
from app.publishing.permissions import SYSTEM

from .gunicorn import environment
from .killed_publisher import NOW
from .programs import ROOT

pytestmark = [pytest.mark.live, pytest.mark.slow]

MOST_POINTS = 300
COUNTS: dict[str, sa.Executable] = {
    "revisions": sa.select(sa.func.count()).select_from(Revision),
    "publications": sa.select(sa.func.count()).select_from(Publication),
    "copies": sa.select(sa.func.count()).select_from(WorkingCopy),
    "topics": sa.text("SELECT count(*) FROM topic"),
    "links": sa.text("SELECT count(*) FROM post_topic"),
    "changes": sa.text("SELECT count(*) FROM edge_change"),
}


@contextmanager
def publisher(folder: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the process that forks publishers."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.killed_publisher"],
            cwd=ROOT,
            env=environment(folder, {"FLASK_EDGE_GATEWAY": "false", "FLASK_EDGE_RELAY": "false"}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", log.read_text()
        yield process
        process.kill()


def state() -> dict[str, Any]:
    """The text and the date of the post, and how many rows the tables have."""
    db.session.rollback()
    post = db.session.execute(sa.select(Post.title, Post.body_html, Post.published_at)).one()
    counts = {name: db.session.scalar(statement) for name, statement in COUNTS.items()}
    db.session.rollback()
    return {"post": tuple(post), **counts}


def test_a_killed_publisher_leaves_the_post_whole(app: Flask, tmp_path: Path) -> None:
    """Text, date, revision, new topic, record, and the change that purges: all of them or none."""
    post = actions.create(Draft(title="Old", body_markdown="Old."), now=NOW, actor=SYSTEM)
    actions.publish(post.id, expected_version=1, now=NOW, actor=SYSTEM)
    copy_id = actions.open_copy(post.id, now=NOW, actor=SYSTEM).id
    fields = replace(CopyFields(), title="New", body_markdown="New.", new_topics=("Rain",))
    actions.save_copy(copy_id, fields, version=1, now=NOW, actor=SYSTEM)
    before = state()
    killed = 0
    with publisher(tmp_path, tmp_path / "publisher.log") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for point in range(1, MOST_POINTS):
            process.stdin.write(f"{copy_id} 2 {point}\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
            assert answer == str(int(signal.SIGKILL)), (tmp_path / "publisher.log").read_text()
            killed += 1
            after = state()
            if after != before:
                break
    assert killed > 20
    assert after["post"][:2] == ("New", "<p>New.</p>\n")
    differences = {name: after[name] - before[name] for name in COUNTS if name != "changes"}
    assert differences == {
        "revisions": 1,
        "publications": 1,
        "copies": -1,
        "topics": 1,
        "links": 1,
    }
    assert after["changes"] > before["changes"]
