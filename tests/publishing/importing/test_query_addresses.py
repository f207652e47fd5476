"""Old addresses that differ by their query: front matter in, redirects and links out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.address_check import check_addresses
from app.publishing.export import export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome, Report
from app.publishing.models import Post, Redirect
from app.publishing.paths import normal, to_url


def write(root: Path, front: str, *, name: str = "new.md", body: str = "x") -> Path:
    """Write one post into the folder."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(f"---\ntitle: T\ndate: 2020-01-01\n{front}\n---\n{body}\n")
    return root


def sources() -> set[str]:
    """The old addresses with a query that redirect."""
    return {source for source in db.session.scalars(sa.select(Redirect.source)) if "?" in source}


def remarks(report: Report) -> str:
    """All remarks in one text."""
    return "\n".join(str(remark) for remark in (*report.skipped, *report.warnings))


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("aliases: ['/?p=20', '/index.php?p=21', '/?page_id=3']", "/?p=20 /index.php?p=21 /?page_id=3"),
        ("aliases: ['https://old.example/?p=20&utm_source=x']", "/?p=20"),
        ("redirect_from: /?p=20", "/?p=20"),
        ("alias: '?p=20'", "/?p=20"),
        ("guid: http://old.example/?p=20", "/?p=20"),
        ("guid: http://old.example/?post_type=book&#038;p=20", "/?p=20"),
        ("wordpress_url: https://old.example/?page_id=20", "/?page_id=20"),
        ("wordpress_id: 20", "/?p=20"),
        ("permalink: https://old.example/?p=20", "/?p=20"),
        ("url: /?p=20", "/?p=20"),
        ("guid: tag:old.example,2020:x", ""),
        ("guid: https://old.example/a/?p=20", ""),
    ],
)  # fmt: skip
def test_an_address_with_a_query_redirects_to_its_post(
    app: Flask, tmp_path: Path, now: datetime, front: str, expected: str
) -> None:
    """From aliases, the old address itself, and the feed identifiers of WordPress."""
    report = import_folder(write(tmp_path, front), now=now)
    assert remarks(report) == ""
    assert sources() == set(expected.split())
    for source in sources():
        assert app.test_client().get(source).location == "/articles/new"


@pytest.mark.parametrize("address", ["/?x=20", "/archives.php?id=5", "/blog/?p=20"])
def test_a_query_that_no_route_reads_is_named(
    app: Flask, tmp_path: Path, now: datetime, address: str
) -> None:
    """A redirect that ignores the query would answer for other posts as well."""
    report = import_folder(write(tmp_path, f"aliases: ['{address}']"), now=now)
    assert f"no redirect from {address}: " in remarks(report)
    assert db.session.scalars(sa.select(Redirect.source).where(Redirect.target.is_(None))).all() == ["/new"]  # fmt: skip
    assert post_count() == 1


def post_count() -> int:
    """The number of posts."""
    return len(db.session.scalars(sa.select(Post.id)).all())


def test_posts_with_plain_permalinks_keep_apart(app: Flask, tmp_path: Path, now: datetime) -> None:
    """Each address is `/` with another query; they are different posts."""
    write(tmp_path, "permalink: '/?p=1'", name="one.md")
    write(
        tmp_path,
        "permalink: '/?p=2'",
        name="two.md",
        body="[one](/?p=1#top) [home](/?utm_source=x)",
    )
    report = import_folder(tmp_path, now=now)
    assert (post_count(), remarks(report)) == (2, "")
    text = db.session.scalars(sa.select(Post.body_html).where(Post.slug == "two")).one()
    assert 'href="/articles/one#top"' in text
    assert "utm_source" in text
    assert import_folder(tmp_path, now=now).counts[Outcome.UNCHANGED] == 2


def test_an_export_writes_the_query_as_it_is(app: Flask, tmp_path: Path, now: datetime) -> None:
    """The next import of the exported folder has the same redirects."""
    import_folder(write(tmp_path / "in", "aliases: ['/?q=Ab+c%2Fd&p=2', '/a%3Fb']"), now=now)
    before = set(db.session.scalars(sa.select(Redirect.source)))
    export_folder(tmp_path / "out", force=False)
    db.session.execute(sa.delete(Redirect))
    db.session.execute(sa.delete(Post))
    db.session.commit()
    import_folder(tmp_path / "out", now=now)
    assert before - {"/new"} <= set(db.session.scalars(sa.select(Redirect.source)))
    assert sources() == {"/?p=2&q=Ab+c%2Fd", "/a?b"}


@pytest.mark.parametrize("path", ["/", "/a", "/50% off/é", "/a?b", "/?p=20", "/a%20b", "/?x"])
def test_a_normal_path_has_a_url(path: str) -> None:
    """A path is encoded once, and a query is left as it is."""
    assert normal(to_url(path)) == path


def test_addresses_with_a_query_are_checked(app: Flask, tmp_path: Path, now: datetime) -> None:
    """`--check-urls` requests them as they are; the front page is no answer for a post."""
    import_folder(write(tmp_path, "aliases: ['/?p=20']"), now=now)
    check = check_addresses(["/?p=20", "/index.php?p=20", "/?p=20&utm_source=x"])
    assert (check.answering, check.failures) == (3, ())
    ((address, reason),) = check_addresses(["/?p=21", "/"]).failures
    assert address == "/?p=21"
    assert "leads nowhere" in reason
