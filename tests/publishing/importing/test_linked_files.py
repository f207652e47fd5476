"""Files that posts link to: PDF, audio, video, archives."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from unicodedata import normalize
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.export import export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Outcome, Report
from app.publishing.models import Attachment, Post

from .test_folder import png, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PDF = b"%PDF-1.7 one"
FRONT = "---\ntitle: One\ndate: 2020-02-01\n---\n"


def run(folder: Path, file_size: int | None = None) -> Report:
    """Import the folder."""
    return import_folder(folder, now=NOW, file_size=file_size)


def body() -> str:
    """Return the HTML of the only post."""
    return db.session.scalars(sa.select(Post.body_html)).one()


def attachments() -> dict[str, Attachment]:
    """Return the stored files by name."""
    db.session.rollback()
    return {row.name: row for row in db.session.scalars(sa.select(Attachment))}


def test_linked_files_are_carried(app: Flask, tmp_path: Path) -> None:
    """Each link to a file of a carried kind leads to the stored file, in Markdown and in HTML."""
    text = (
        f"{FRONT}[report](files/A%20report.pdf#page=3) and [archive](/code.zip)\n\n"
        '<video src="talk.mp4"></video> <audio><source src="song.mp3"></audio>\n'
    )
    files = {"files/A report.pdf": PDF, "talk.mp4": b"mp4", "song.mp3": b"mp3"}
    write(tmp_path, {"blog/one.md": text, "static/code.zip": b"PK"})
    write(tmp_path / "blog", files)
    report = run(tmp_path)
    assert report.counts[Outcome.IMPORTED] == 1
    stored = attachments()
    assert {name: row.size for name, row in stored.items()} == {
        "a-report.pdf": len(PDF),
        "code.zip": 2,
        "talk.mp4": 3,
        "song.mp3": 3,
    }
    html = body()
    assert f'href="{stored["a-report.pdf"].path}#page=3"' in html
    for name in ("code.zip", "talk.mp4", "song.mp3"):
        assert f'href="{stored[name].path}"' in html
    path = stored["a-report.pdf"].path
    db.session.remove()
    assert app.test_client().get(path).data == PDF


def test_a_replaced_file_gets_a_new_url(app: Flask, tmp_path: Path) -> None:
    """New bytes under the old name change the post, and nothing else does."""
    write(tmp_path, {"one.md": f"{FRONT}[report](report.pdf)\n", "report.pdf": PDF})
    run(tmp_path)
    first = attachments()["report.pdf"].path
    assert run(tmp_path).counts[Outcome.UNCHANGED] == 1
    write(tmp_path, {"report.pdf": b"%PDF-1.7 two"})
    assert run(tmp_path).counts[Outcome.UPDATED] == 1
    paths = db.session.scalars(sa.select(Attachment.fingerprint)).all()
    assert len(paths) == 2
    assert first not in body()
    assert "/media/files/" in body()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("page.html", "leads to no post"),
        ("demo.js", "files of the kind .js are not carried"),
        ("setup.exe", "files of the kind .exe are not carried"),
        ("drawing.svgz", "files of the kind .svgz are not carried"),
        ("fake.pdf", "holds a program or a web page"),
        ("large.zip", "is larger than 1 KiB"),
        ("empty.zip", "The file is empty"),
        ("gone.pdf", "leads to no post and no file"),
        ("_data/list.csv", "did not publish this file"),
        ("link.pdf", "leads to no post and no file"),
    ],
)
def test_a_file_that_is_not_carried_is_named(
    app: Flask, tmp_path: Path, target: str, reason: str
) -> None:
    """The report gives file, line and reason, and the post is imported all the same."""
    write(tmp_path, {"one.md": f"{FRONT}Text.\n\nThe [file]({target}).\n"})
    write(tmp_path, {"demo.js": b"x", "setup.exe": b"MZ", "drawing.svgz": b"x"})
    write(tmp_path, {"fake.pdf": b"<html>", "large.zip": b"x" * 2000, "empty.zip": b""})
    write(tmp_path, {"_data/list.csv": b"a,b"})
    (tmp_path / "link.pdf").symlink_to("/etc/passwd")
    report = run(tmp_path, file_size=1024)
    assert report.counts[Outcome.IMPORTED] == 1
    (warning,) = report.warnings
    assert (warning.path, warning.line) == ("one.md", 7)
    assert target in warning.sentence
    assert reason in warning.sentence
    assert attachments() == {}


def test_the_setting_limits_the_size_of_a_file(app: Flask, tmp_path: Path) -> None:
    """FILE_SIZE is the limit of an import that names no other."""
    app.config["FILE_SIZE"] = 4
    write(tmp_path, {"one.md": f"{FRONT}[report](report.pdf)\n", "report.pdf": PDF})
    (warning,) = run(tmp_path).warnings
    assert "is left out" in warning.sentence


def test_a_file_that_is_written_as_an_image_becomes_a_link(app: Flask, tmp_path: Path) -> None:
    """A video in the notation of an image is linked, because it can't be shown as one."""
    write(tmp_path, {"one.md": f"{FRONT}![The talk](talk.mp4)\n", "talk.mp4": b"mp4"})
    report = run(tmp_path)
    assert f'<a href="{attachments()["talk.mp4"].path}">The talk</a>' in body()
    assert "became a link" in report.warnings[0].sentence


def test_an_export_carries_the_files_and_imports_unchanged(app: Flask, tmp_path: Path) -> None:
    """Files are exported beside their post, and importing them again changes nothing."""
    text = f"{FRONT}[report](a/report.pdf#page=3), [other](b/report.pdf), ![x](talk.mp4)\n"
    files = {"a/report.pdf": PDF, "b/report.pdf": PDF + b"2", "talk.mp4": b"mp4"}
    write(tmp_path / "blog", {"one.md": text, **files})
    run(tmp_path / "blog")
    html = body()
    exports = [tmp_path / "first", tmp_path / "second"]
    for folder in exports:
        export_folder(folder)
        assert run(folder).counts[Outcome.SKIPPED] == 0
        assert body() == html
    names = [sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file()) for one in exports]
    assert names[0] == names[1]
    assert sum(path.suffix in {".pdf", ".mp4"} for path in names[0]) == 3
    texts = [(one / names[0][-1]).read_bytes() for one in exports]
    assert texts[0] == texts[1]


def test_a_long_alternative_text_does_not_refuse_the_post(app: Flask, tmp_path: Path) -> None:
    """The post is imported with its cover, and the report names the line."""
    front = FRONT.replace("---\n", "---\ncover: a.png\ncover_alt: " + "a" * 900 + "\n", 1)
    write(tmp_path, {"one.md": f"{front}Text.\n", "a.png": png()})
    report = run(tmp_path)
    assert report.counts[Outcome.IMPORTED] == 1
    (warning,) = report.warnings
    assert (warning.path, warning.line) == ("one.md", 3)
    assert len(db.session.scalars(sa.select(Post.cover_alt)).one()) == 500


def test_a_long_heading_does_not_refuse_the_post(app: Flask, tmp_path: Path) -> None:
    """A heading that is the title is cut in the title, and whole in the text."""
    heading = "word " * 100
    write(tmp_path, {"one.md": f"---\ndate: 2020-02-01\n---\n# {heading}\n\nText.\n"})
    report = run(tmp_path)
    assert report.counts[Outcome.IMPORTED] == 1
    assert "title is cut after 300" in report.warnings[0].sentence
    assert heading.strip() in body()


def test_references_of_pelican_and_other_spellings_are_found(app: Flask, tmp_path: Path) -> None:
    """Links and images with `{static}` and its kind, in any Unicode form and case, are resolved."""
    text = (
        f"{FRONT}![a]({{static}}/images/a.png) ![a](|filename|../images/a.png) "
        "[pdf]({attach}paper.pdf) [two]({filename}/blog/caf\u00e9.md) "
        "![b](../images/B%231.PNG)\n"
    )
    write(tmp_path, {"pelicanconf.py": "PATH = 'content'\n"})
    write(tmp_path, {"content/blog/one.md": text, "content/blog/paper.pdf": PDF})
    write(tmp_path, {"content/images/a.png": png(), "content/images/b#1.png": png("blue")})
    write(tmp_path, {"content/blog/cafe\u0301.md": FRONT.replace("One", "Two") + "Text."})
    report = run(tmp_path)
    assert report.counts[Outcome.IMPORTED] == 2
    html = db.session.scalars(sa.select(Post.body_html).where(Post.title == "One")).one()
    assert html.count('src="/media/') == 3
    assert 'href="/media/files/' in html
    assert 'href="/articles/cafe"' in html
    (warning,) = [one for one in report.warnings if "case" in one.sentence]
    assert (warning.path, warning.line) == ("content/blog/one.md", 5)
    assert "content/images/b#1.png" in warning.sentence


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_links_by_address_meet_in_any_unicode_form(
    app: Flask, tmp_path: Path, forms: tuple[Literal["NFC", "NFD"], Literal["NFC", "NFD"]]
) -> None:
    """A link to an old address finds the post whose file name has the other Unicode form."""
    name, link = (normalize(form, "café") for form in forms)
    write(tmp_path, {"hugo.toml": "title = 'x'\n"})
    write(tmp_path, {f"content/{name}.md": FRONT.replace("One", "Two") + "Text."})
    write(tmp_path, {"content/one.md": f"{FRONT}[two](/{link}/)\n"})
    report = run(tmp_path)
    html = db.session.scalars(sa.select(Post.body_html).where(Post.title == "One")).one()
    assert 'href="/articles/cafe"' in html
    assert [one for one in report.warnings if "link" in one.sentence] == []
    db.session.remove()
    if forms[0] == "NFD":
        response = app.test_client().get(f"/{quote(link)}/")
        assert response.location.endswith("/articles/cafe")
