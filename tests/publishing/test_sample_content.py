from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.models import Kind, Post, Redirect, Site, Status
from app.publishing.permissions import SYSTEM
from app.publishing.sample_content import load_samples


def test_an_empty_site_gets_the_samples(any_app: Flask, now: datetime) -> None:
    """Articles, pages with a menu, a draft, a scheduled post and a redirect, without a complaint."""
    reports = load_samples(now=now)
    assert reports is not None
    assert [str(w) for report in reports for w in report.warnings] == []
    query = sa.select(Post.kind, Post.status, sa.func.count()).group_by(Post.kind, Post.status)
    counts = {(kind, status): count for kind, status, count in db.session.execute(query)}
    assert counts[Kind.ARTICLE, Status.PUBLISHED] >= 12
    assert counts[Kind.ARTICLE, Status.DRAFT] >= 1
    assert counts[Kind.ARTICLE, Status.SCHEDULED] >= 1
    assert counts[Kind.PAGE, Status.PUBLISHED] >= 3
    assert db.session.scalars(sa.select(Redirect)).first() is not None
    assert db.session.get_one(Site, 1).title == "Broadsheet"
    assert db.session.scalar(sa.select(Post.slug).where(Post.menu_position == 1)) == "about"


def test_a_second_call_changes_nothing(app: Flask, now: datetime, dump: Callable[[], Any]) -> None:
    """Nor does a call on a site that somebody has begun to write."""
    actions.create(Draft(title="Mine"), now=now, actor=SYSTEM)
    before = dump()
    assert load_samples(now=now) is None
    assert dump() == before
