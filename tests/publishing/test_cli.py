from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.models import Post
from app.publishing.permissions import SYSTEM

GOOD = "---\ntitle: Good\ndate: 2020-01-01\n---\nbody\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good post and a bad one."""
    root = tmp_path / "content"
    root.mkdir()
    (root / "good.md").write_text(GOOD)
    (root / "bad.md").write_text("---\ntitle: [\n---\nbody\n")
    return root


def run(app: Flask, *words: str) -> tuple[int, str]:
    """The exit status and the output of a `flask content` command."""
    result = app.test_cli_runner().invoke(args=["content", *words])
    return result.exit_code, result.output


def test_import_tells_what_was_skipped_and_why(app: Flask, folder: Path) -> None:
    """By file and line; a bad file is no failure."""
    status, output = run(app, "import", str(folder))
    assert status == 0
    assert "bad.md:" in output
    assert "1 imported, 0 updated, 0 unchanged, 1 skipped." in output


def test_import_tells_what_is_left_for_the_relay(app: Flask, folder: Path) -> None:
    """The log of a large import is cleared away afterwards."""
    with db.engine.begin() as connection:
        connection.execute(
            sa.text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
                "INSERT INTO edge_change (of_table, op) SELECT 'post', 'T' FROM n"
            )
        )
    output = run(app, "import", str(folder))[1]
    assert re.search(r"2\d\d\d entries of the change log are left for the relay", output)


def test_a_strict_import_fails_when_a_file_was_skipped(app: Flask, folder: Path) -> None:
    """For those who import from a pipeline; the good posts are in all the same."""
    status, output = run(app, "import", "--strict", str(folder))
    assert (status, "1 imported" in output) == (1, True)


def test_a_dry_run_says_so(app: Flask, folder: Path) -> None:
    """And keeps nothing, so that the real run imports."""
    assert "dry run: nothing was kept" in run(app, "import", "--dry-run", str(folder))[1]
    assert "1 imported" in run(app, "import", str(folder))[1]


def test_a_missing_folder_is_one_sentence(app: Flask, tmp_path: Path) -> None:
    """With a status that tells a script."""
    status, output = run(app, "import", str(tmp_path / "nowhere"))
    assert (status, output.count("\n")) == (1, 1)
    assert "does not exist; name a folder of Markdown files" in output


def test_an_old_address_that_is_none_is_one_sentence(app: Flask, folder: Path) -> None:
    """Before anything is imported."""
    status, output = run(app, "import", "--base-url", "old.example", str(folder))
    assert (status, output.count("\n")) == (1, 1)
    assert "'old.example' is not an address" in output


def test_export_writes_a_folder_and_refuses_a_full_one(
    app: Flask, folder: Path, tmp_path: Path
) -> None:
    """`--force` replaces it."""
    run(app, "import", str(folder))
    target = str(tmp_path / "out")
    assert run(app, "export", target) == (0, f"1 posts written to {target}.\n")
    status, output = run(app, "export", target)
    assert (status, "is not empty" in output) == (1, True)
    assert run(app, "export", "--force", target)[0] == 0


def test_sample_loads_once(app: Flask) -> None:
    """The second time it says that there is something already."""
    assert "The sample publication is loaded" in run(app, "sample")[1]
    assert "were not loaded" in run(app, "sample")[1]


def test_sample_remove_names_the_posts_that_stay(app: Flask) -> None:
    """A changed sample post is somebody's own by now."""
    run(app, "sample")
    post = db.session.scalars(sa.select(Post).where(Post.slug == "the-measure")).one()
    actions.archive(post.id, expected_version=post.version, now=post.updated_at, actor=SYSTEM)
    output = run(app, "sample", "--remove")[1]
    assert re.match(r"Removed: \d\d sample posts and \d+ images\.\n", output)
    assert output.endswith("  /articles/the-measure\n")
    assert "Removed: 0 sample posts" in run(app, "sample", "--remove")[1]
    assert "were not loaded" in run(app, "sample")[1]


def test_publish_due_counts_what_it_published(app: Flask, article: Post) -> None:
    """Nothing, then one."""
    assert run(app, "publish-due") == (0, "0 published.\n")
    past = datetime.now(UTC) - timedelta(days=2)
    post = actions.create(Draft(title="x"), now=past, actor=SYSTEM)
    actions.schedule(post.id, past + timedelta(days=1), expected_version=1, now=past, actor=SYSTEM)
    assert run(app, "publish-due") == (0, "1 published.\n")


def test_an_import_that_skips_every_file_fails(app: Flask, tmp_path: Path) -> None:
    """The status is 1 without --strict, so that a script notices it."""
    root = tmp_path / "only-broken"
    root.mkdir()
    (root / "bad.md").write_text("---\ntitle: [\n---\nbody\n")
    status, output = run(app, "import", str(root))
    assert status == 1
    assert "0 imported, 0 updated, 0 unchanged, 1 skipped." in output


def test_render_counts_the_posts_that_changed(app: Flask) -> None:
    """The settings of text changed after the posts were saved; a second run changes nothing."""
    now = datetime.now(UTC)
    for title, body in (("Quotes", '"x"'), ("Plain", "x")):
        actions.create(Draft(title=title, body_markdown=body), now=now, actor=SYSTEM)
    settings = actions.SiteDraft(title="x", smart_punctuation=True)
    actions.save_site(settings, expected_version=None, actor=SYSTEM)
    status, output = run(app, "render")
    assert (status, "1 posts changed, 1 unchanged, 0 not rendered." in output) == (0, True)
    output = run(app, "render", "--post", "quotes")[1]
    assert "0 posts changed, 1 unchanged, 0 not rendered." in output


def test_render_of_an_unknown_post_is_an_error(app: Flask) -> None:
    """In one sentence."""
    status, output = run(app, "render", "--post", "nothing")
    assert (status, "Error: There is no post 'nothing'." in output) == (1, True)


def test_import_of_one_language_counts_the_others(app: Flask, folder: Path) -> None:
    """And refuses a language that is no tag."""
    (folder / "fa.md").write_text(GOOD.replace("Good", "Persian\nlang: fa"))
    output = run(app, "import", "--language", "fa", str(folder))[1]
    assert "Left out: 1 in other languages than --language (1 en)." in output
    assert "1 imported, 0 updated" in output
    status, output = run(app, "import", "--language", "persian", str(folder))
    assert (status, "'persian' is not a language tag" in output) == (1, True)


def test_site_changes_the_settings_of_text_and_names_the_command(app: Flask) -> None:
    """Posts have to be rendered again; other changes leave these settings as they are."""
    status, output = run(app, "site", "--emoji", "--smart-punctuation")
    assert status == 0
    assert "emoji: true\nsmart_punctuation: true\n" in output
    assert "Run `flask content render`" in output
    output = run(app, "site", "--title", "Mine")[1]
    assert "emoji: true" in output
    assert "render" not in output
    output = run(app, "site", "--no-emoji")[1]
    assert "emoji: false\nsmart_punctuation: true\n" in output
    assert "Run `flask content render`" in output
