from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.extensions import db
from app.publishing.export import export_folder
from app.publishing.importing.folder import import_folder
from app.publishing.importing.markup import convert_html
from app.publishing.importing.report import Outcome
from app.publishing.models import Post, Status
from app.publishing.text import render

from .test_folder import png, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FRONT = "---\ntitle: One\ndate: 2020-02-01\n---\n"
HTML = """<p>First</p>

    <p>Not *code* and not # a heading, ![a](a.png)</p>

    <img src="a.png" alt="A">
<pre>
x

  y
</pre>
<form><p>A form</p></form>
<script>

alert(1)

</script>
<p style="color: red" onclick="alert(1)">Last</p>
"""


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({}, "_posts/2020-02-01-one.html"),
        ({"_config.yml": "title: x\n"}, "_posts/2020-02-01-one.htm"),
        ({"hugo.toml": "title = 'x'\n"}, "content/blog/one.html"),
        ({"pelicanconf.py": "PATH = 'content'\n"}, "content/one.html"),
        ({".eleventy.js": "module.exports = {}\n"}, "posts/one.html"),
    ],
    ids=["jekyll-without-configuration", "jekyll", "hugo", "pelican", "eleventy"],
)
def test_a_post_in_html_is_imported(
    app: Flask, tmp_path: Path, files: dict[str, str], path: str
) -> None:
    """Its HTML is kept as it is, without Markdown, and what is dropped is named with its line."""
    write(tmp_path, {**files, path: FRONT + HTML, str(Path(path).with_name("a.png")): png()})
    report = import_folder(tmp_path, now=NOW)
    assert report.counts[Outcome.IMPORTED] == 1
    post = db.session.scalars(sa.select(Post)).one()
    assert (post.title, post.status) == ("One", Status.PUBLISHED)
    html = post.body_html
    assert html.startswith("<p>First</p>")
    assert "<p>Not *code* and not # a heading, ![a](a.png)</p>" in html
    assert html.count("<pre") == 1
    assert "x\n\n  y" in html
    assert "<p>A form</p>" in html
    assert '<img src="/media/' in html
    assert "alert" not in html
    sentences = {(warning.line, warning.sentence) for warning in report.warnings}
    assert {
        (15, "the element <form> is removed and its content stays"),
        (16, "the element <script> is removed with its content"),
        (21, "the attribute style is removed"),
        (21, "the attribute onclick is removed"),
    } <= sentences
    assert import_folder(tmp_path, now=NOW).counts[Outcome.UNCHANGED] == 1


def test_metadata_of_pelican_is_read_from_the_head(app: Flask, tmp_path: Path) -> None:
    """Pelican reads `<title>` and `<meta name>`; the body is the text."""
    text = (
        "<!DOCTYPE html>\n<html><head><title>A &amp; B</title>\n"
        '<meta name="date" content="2020-02-01 10:00">\n<meta name="keywords" content="x, y">\n'
        '<meta name="status" content="draft"></head>\n<body class="a">\n<p>Text</p>\n</body></html>'
    )
    write(tmp_path, {"pelicanconf.py": "PATH = 'content'\n", "content/one.html": text})
    import_folder(tmp_path, now=NOW)
    post = db.session.scalars(sa.select(Post)).one()
    assert (post.title, post.status) == ("A & B", Status.DRAFT)
    assert sorted(topic.name for topic in post.topics) == ["x", "y"]
    assert post.body_html == "<p>Text</p>\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("index.html", FRONT + HTML),
        ("_layouts/post.html", FRONT + HTML),
        ("_posts/2020-02-01-one.html", HTML),
        ("static/page.html", FRONT + HTML),
    ],
)
def test_other_files_in_html_are_no_posts(app: Flask, tmp_path: Path, path: str, text: str) -> None:
    """Templates, and files without front matter, are not imported."""
    write(tmp_path, {path: text, "_posts/2020-02-01-two.md": FRONT + "Text."})
    report = import_folder(tmp_path, now=NOW)
    assert report.counts.total() == 1


def test_an_exported_post_in_html_is_the_same_after_an_import(app: Flask, tmp_path: Path) -> None:
    """The export writes the HTML as a block in Markdown."""
    write(tmp_path / "blog", {"_posts/2020-02-01-one.html": FRONT + HTML})
    import_folder(tmp_path / "blog", now=NOW)
    html = db.session.scalars(sa.select(Post.body_html)).one()
    export_folder(tmp_path / "out")
    assert import_folder(tmp_path / "out", now=NOW).counts[Outcome.SKIPPED] == 0
    assert db.session.scalars(sa.select(Post.body_html)).one() == html


def test_tags_in_html_become_html() -> None:
    """A tag that becomes Markdown elsewhere becomes HTML in a text in HTML."""
    text = "{% highlight ruby %}\na < b\n\nc\n{% endhighlight %}\n<p>{% youtube abc %}</p>\n"
    converted = convert_html(text, "jekyll")
    assert '<pre><code class="language-ruby">a &lt; b\n&#10;c' in converted.text
    assert '<p><a href="https://www.youtube.com/watch?v=abc">' in converted.text


@given(st.text("ab <>/=\n\t`*#-&;$prediv", max_size=200))
def test_any_html_is_one_block(text: str) -> None:
    """No line of the result begins a new block of Markdown, and each has a line of the file."""
    converted = convert_html(text)
    lines = converted.text.split("\n")
    assert len(lines) == len(converted.lines)
    assert all(line.strip() for line in lines)
    html = render(converted.text, resolve_image=lambda _: None, resolve_link=lambda _: None).html
    assert "<h1" not in html
    assert "<em>" not in html
