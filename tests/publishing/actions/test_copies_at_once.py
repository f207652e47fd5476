"""Several processes save into one working copy: no text is lost."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.extensions import db
from app.publishing import actions
from app.publishing.actions import CopyFields, SaveOutcome
from app.publishing.models import Fork, Kind, WorkingCopy
from app.publishing.permissions import Actor
from tests.publishing.actions.people import hire

PROCESSES, SAVES = 4, 12


def save_again_and_again(
    settings: dict[str, Any], copy_id: int, actor: Actor, name: str, now: datetime
) -> Counter[str]:
    """Add words to the text in a process of its own; count what became of each save."""
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    app = create_app(settings)
    outcomes = Counter[str]()
    with app.app_context():
        version, text = 1, ""
        for number in range(SAVES):
            text = f"{text}\n\n{name}{number}"
            fields = CopyFields(title="x", body_markdown=text)
            saved = actions.save_copy(
                copy_id, fields, version=version, now=now, actor=actor, tab=f"{name}{number}"
            )
            outcomes[saved.outcome] += 1
            if saved.outcome is not SaveOutcome.FORKED:
                version, text = saved.version, saved.fields.body_markdown
            else:
                copy = db.session.get_one(WorkingCopy, copy_id, populate_existing=True)
                version, text = copy.version, copy.fields["body_markdown"]
                db.session.rollback()
        db.session.remove()
        db.engine.dispose()
    return outcomes


@pytest.mark.slow
def test_processes_that_save_at_once_lose_no_word(any_app: Flask, now: datetime) -> None:
    """Each word that was sent is in the copy or in a fork."""
    actor = hire("Ada")
    copy_id = actions.create_copy(Kind.ARTICLE, CopyFields(title="x"), now=now, actor=actor).id
    db.session.remove()
    keys = ("INSTANCE", "DATABASE_URL", "SECRET_KEY", "EDGE_BUILD")
    settings = {key: any_app.config[key] for key in keys}
    settings |= {"EDGE_GATEWAY": False, "EDGE_RELAY": False, "EDGE_REFILL": False, "TESTING": True}
    jobs = [(settings, copy_id, actor, name, now) for name in "abcd"[:PROCESSES]]
    with get_context("spawn").Pool(PROCESSES) as pool:
        outcomes = sum(pool.starmap(save_again_and_again, jobs), Counter[str]())
    assert sum(outcomes.values()) == PROCESSES * SAVES
    copy = db.session.get_one(WorkingCopy, copy_id, populate_existing=True)
    texts = [copy.fields["body_markdown"]]
    texts += [fork.fields["body_markdown"] for fork in db.session.scalars(sa.select(Fork))]
    words = {word for text in texts for word in text.split()}
    assert words == {f"{name}{n}" for name in "abcd"[:PROCESSES] for n in range(SAVES)}
    accepted = outcomes[SaveOutcome.SAVED] + outcomes[SaveOutcome.MERGED]
    assert copy.version == 1 + accepted
    assert len(copy.fields["body_markdown"].split()) >= accepted
