"""The sample publication: what a first run shows, and the pages that explain the product."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from app.extensions import db
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Report

from .models import Kind, Post, Site

SAMPLES = Path(__file__).resolve().parent / "samples"
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def load_samples(
    *, now: datetime, samples: Path = SAMPLES, docs: Path = DOCS
) -> Iterable[Report] | None:
    """Load the samples into an empty site; None, and nothing is written, when it is not empty."""
    ids = (Post.id, Site.id)
    if any(db.session.scalar(sa.select(column).limit(1)) for column in ids):
        db.session.rollback()
        return None
    pages = [import_folder(docs, now=now, kind=Kind.PAGE)] if docs.is_dir() else []
    return [*pages, import_folder(samples, now=now)]
