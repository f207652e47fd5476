"""Posts are prepared side by side and saved in batches; the result is that of one after another."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.publishing.importing import batches, post, save_post
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome
from app.publishing.models import Imported, Media, Post
from tests.publishing.blogs import generated_blog

MakeApp = Callable[..., Flask]
TABLES = ("post", "media", "media_file", "redirect", "imported", "author", "topic", "revision")


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """A generated blog whose posts link to each other, older ones to newer ones too."""
    folder = tmp_path / "blog"
    folder.mkdir()
    return generated_blog(folder).folder


def slugs() -> set[str]:
    """Return the slugs of all posts."""
    return set(db.session.scalars(sa.select(Post.slug)))


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the content, without identifiers that are drawn by lot."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in TABLES}
    return {
        table: sorted(map(without_feed_id, rows_of_table))
        for table, rows_of_table in tables.items()
    }


def without_feed_id(row: sqlite3.Row) -> tuple[Any, ...]:
    """Return the values of a row by their columns."""
    values = zip(row.keys(), tuple(row), strict=True)
    return tuple((name, value) for name, value in values if name != "feed_id")


@pytest.fixture
def import_into(
    tmp_path: Path, migrated: Path, make_app: MakeApp
) -> Callable[..., tuple[dict[str, list[tuple[Any, ...]]], dict[str, object]]]:
    """Import a folder into a new database; return its rows and the report."""
    numbers = iter(range(100))

    def run(
        folder: Path, now: datetime, **options: Any
    ) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, object]]:
        path = tmp_path / f"database-{next(numbers)}.db"
        shutil.copy(migrated, path)
        app = make_app(DATABASE_URL=f"sqlite:///{path}")
        with app.app_context():
            report = import_folder(folder, now=now, **options)
            db.session.remove()
        return rows(path), report.to_json()

    return run


def test_processes_and_batches_change_nothing_in_the_result(
    blog: Path,
    now: datetime,
    import_into: Callable[..., tuple[dict[str, Any], dict[str, object]]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Rows and report are the same for one process, two, and for another size of the batches."""
    expected_rows, expected_report = import_into(blog, now, jobs=1)
    assert len(expected_rows["post"]) == 48
    assert import_into(blog, now, jobs=2) == (expected_rows, expected_report)
    assert "import.no_processes" not in caplog.text
    monkeypatch.setattr(batches, "POSTS", 1)
    one_by_one, report = import_into(blog, now, jobs=1)
    assert (one_by_one["post"], report) == (expected_rows["post"], expected_report)


def test_a_dry_run_reports_what_the_import_reports(app: Flask, blog: Path, now: datetime) -> None:
    """Counts, skipped files and remarks are equal, and no row is kept."""
    for name in ("a", "b"):
        (blog / f"{name}.md").write_text(
            f"---\ntitle: {name}\ndate: 2020-01-01\nguid: urn:same\naliases: [/same]\n---\ntext\n"
        )
    dry = import_folder(blog, now=now, dry_run=True).to_json()
    assert db.session.scalar(sa.select(sa.func.count(Post.id))) == 0
    wet = import_folder(blog, now=now).to_json()
    assert dry == wet
    assert "urn:same" in str(wet["warnings"])


@pytest.mark.parametrize(
    "error", [IntegrityError("INSERT", {}, Exception("no")), LookupError("no")], ids=type
)
def test_a_post_that_cannot_be_saved_loses_no_other_post(
    app: Flask, blog: Path, now: datetime, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its savepoint is rolled back with its images, and the next import saves it."""
    save = save_post.save

    def save_or_fail(session: Any, ready: Any, report: Any, rows: Any) -> Any:
        saved = save(session, ready, report, rows)
        if ready.entry.slug == "bundle-3":
            raise error
        return saved

    with monkeypatch.context() as patch:
        patch.setattr(save_post, "save", save_or_fail)
        report = import_folder(blog, now=now)
    assert report.counts[Outcome.IMPORTED] == len(slugs()) == 47
    assert "bundle-3" not in slugs()
    assert [remark.path for remark in report.skipped if "the log tells" in remark.sentence] == [
        "posts/bundle-3/index.md"
    ]
    media = db.session.scalar(sa.select(sa.func.count(Media.id)))
    again = import_folder(blog, now=now)
    assert (again.counts[Outcome.IMPORTED], again.counts[Outcome.UNCHANGED]) == (1, 47)
    assert db.session.scalar(sa.select(sa.func.count(Media.id))) == (media or 0) + 2


def test_a_batch_is_one_transaction(
    app: Flask, blog: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posts are committed together, so that purges are flushed once for all of them."""
    commits: list[object] = []
    monkeypatch.setattr(batches, "_PAUSE", batches._PAUSE * 1000)
    sa.event.listen(db.engine, "commit", commits.append)
    import_folder(blog, now=now)
    assert 1 <= len(commits) <= 10  # the people of site.toml and the posts, each with its purges


def test_the_site_can_write_while_texts_are_rendered(
    app: Flask, tmp_path: Path, blog: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction is open while a text is rendered or an image is scaled."""
    render, rendered = post.render, []

    def write_and_render(*arguments: Any) -> Any:
        with closing(sqlite3.connect(tmp_path / "broadsheet.db", timeout=0)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER)")
            connection.commit()
        rendered.append(arguments)
        return render(*arguments)

    monkeypatch.setattr(post, "render", write_and_render)
    monkeypatch.setattr(batches, "POSTS", 1000)
    monkeypatch.setattr(batches, "_PAUSE", batches._PAUSE * 1000)
    import_folder(blog, now=now, jobs=1)
    assert len(rendered) == len(slugs()) == 48


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_with_a_report_of_what_is_saved(
    app: Flask, blog: Path, now: datetime, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts are those of the committed posts, and the next import goes on."""
    monkeypatch.setattr(batches, "POSTS", 10)

    def stop(count: int, _total: int) -> None:
        if count == 10:
            raise KeyboardInterrupt

    report = import_folder(blog, now=now, jobs=jobs, progress=stop)
    assert report.is_interrupted
    done = report.counts[Outcome.IMPORTED]
    assert 0 < done == len(slugs()) < 48
    assert db.session.scalar(sa.select(sa.func.count(Imported.id))) == done
    again = import_folder(blog, now=now, jobs=jobs)
    assert (again.counts[Outcome.UNCHANGED], len(slugs())) == (done, 48)


def test_the_progress_counts_every_post_of_the_plan(app: Flask, blog: Path, now: datetime) -> None:
    """Unchanged and skipped posts are counted, each once, up to the total."""
    first, second = record_progress(blog, now), record_progress(blog, now)
    assert first == second == [(number, len(first)) for number in range(1, len(first) + 1)]
    assert len(first) >= 48


def record_progress(blog: Path, now: datetime) -> list[tuple[int, int]]:
    """Import the blog; return each count and total."""
    calls: list[tuple[int, int]] = []
    import_folder(blog, now=now, progress=lambda *call: calls.append(call))
    return calls
