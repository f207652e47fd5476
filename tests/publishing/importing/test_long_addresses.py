"""Old addresses that are too long to be stored: the post is imported, the address is named."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.importing.folder import Options, import_folder
from app.publishing.importing.report import Outcome
from app.publishing.models import Post, Redirect

LONG = "x" * 501


@pytest.mark.parametrize(
    ("front", "base_url"),
    [
        (f"aliases: [/{LONG}, /short/]", ""),
        (f"redirect_from: [/short/, /{LONG}.html]", ""),
        (f"path: {LONG}\nslug: a\naliases: [/short]", ""),
        (f"url: /{LONG}/\nslug: a\naliases: [/short]", ""),
        ("aliases: [/" + "x" * 480 + ", /short]", "https://old.example/" + "y" * 60),
    ],
    ids=["alias", "redirect_from", "path", "url", "below the path of the old site"],
)
def test_an_address_that_is_too_long_does_not_refuse_the_post(
    app: Flask, tmp_path: Path, now: datetime, front: str, base_url: str
) -> None:
    """The other addresses of the post redirect, and a second import changes nothing."""
    (tmp_path / "a.md").write_text(f"---\ntitle: A\ndate: 2020-01-01\n{front}\n---\ntext\n")
    options = Options(base_url=base_url)
    report = import_folder(tmp_path, now=now, options=options)
    assert report.counts == {Outcome.IMPORTED: 1}
    assert any(
        "no redirect from" in w.sentence and "the most" in w.sentence for w in report.warnings
    )
    assert db.session.scalars(sa.select(Post.slug)).all() == ["a"]
    sources = set(db.session.scalars(sa.select(Redirect.source)))
    assert any(source.endswith("/short") for source in sources)
    assert max(map(len, sources)) <= 500
    again = import_folder(tmp_path, now=now, options=options)
    assert again.counts == {Outcome.UNCHANGED: 1}


def test_two_posts_with_addresses_that_are_too_long_stay_two(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Each keeps its own record, so that a change of one is not taken for the other."""
    for name in ("a", "b"):
        text = f"---\ntitle: {name}\nslug: {name}\ndate: 2020-01-01\nurl: /{LONG}/{name}/\n---\n{name}\n"
        (tmp_path / f"{name}.md").write_text(text)
    assert import_folder(tmp_path, now=now).counts == {Outcome.IMPORTED: 2}
    (tmp_path / "b.md").write_text(text.replace("\nb\n", "\nchanged\n"))
    assert import_folder(tmp_path, now=now).counts == {Outcome.UNCHANGED: 1, Outcome.UPDATED: 1}
