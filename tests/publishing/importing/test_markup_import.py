"""Tags of other tools in a folder that is imported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Report
from app.publishing.models import Post, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("app")


def write(root: Path, name: str, body: str) -> None:
    """Write a post with a date of its own."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: {path.stem}\ndate: 2020-01-01\n---\n{body}\n", encoding="utf-8")


def load(root: Path, *, drafts_for_unknown_tags: bool = False) -> Report:
    """Import the folder at a fixed time."""
    return import_folder(root, now=NOW, drafts_for_unknown_tags=drafts_for_unknown_tags)


def post(title: str) -> Post:
    """Return the post with this title as it is stored now."""
    db.session.rollback()
    return db.session.scalars(sa.select(Post).where(Post.title == title)).one()


def test_private_text_is_neither_shown_nor_stored(tmp_path: Path) -> None:
    """A comment of a template is in no column of the post."""
    write(tmp_path, "_posts/2020-01-01-a.md", "one\n{% comment %}hidden{% endcomment %}\ntwo")
    load(tmp_path)
    row = post("2020-01-01-a")
    for column in (row.body_html, row.body_markdown, row.body_text, row.summary):
        assert "hidden" not in column
    assert row.status is Status.PUBLISHED


def test_text_that_cannot_be_decided_is_a_draft(tmp_path: Path) -> None:
    """A condition of a template holds the post back, and the report says where."""
    write(tmp_path, "a.md", "one\n\n{% if site.staging %}hidden{% endif %}")
    report = load(tmp_path)
    assert post("a").status is Status.DRAFT
    assert any(remark.line == 7 and "kept a draft" in remark.sentence for remark in report.warnings)


def test_a_public_post_with_a_new_condition_is_withdrawn(tmp_path: Path) -> None:
    """A later import can hold back what an earlier one published."""
    write(tmp_path, "a.md", "one")
    load(tmp_path)
    assert post("a").status is Status.PUBLISHED
    write(tmp_path, "a.md", "one {% if x %}hidden{% endif %}")
    load(tmp_path)
    assert post("a").status is Status.DRAFT


def test_links_by_file_lead_to_the_new_addresses(tmp_path: Path) -> None:
    """`post_url`, `link` and `ref` find the post at its new address."""
    write(tmp_path, "_posts/2020-01-01-b.md", "b")
    text = "[x]({% post_url 2020-01-01-b %}) [y]({% link _posts/2020-01-01-b.md %}) "
    write(tmp_path, "_posts/2020-01-01-a.md", text + '[z]({{< ref "2020-01-01-b.md" >}})')
    load(tmp_path)
    assert post("2020-01-01-a").body_html.count('href="/articles/b"') == 3


def test_the_site_file_maps_tags_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """`[shortcodes]` in `site.toml` turns an unknown tag into Markdown."""
    write(tmp_path, "a.md", "x {{< big word >}} y")
    load(tmp_path)
    assert "{{&lt; big word &gt;}}" in post("a").body_html
    (tmp_path / "site.toml").write_text('[shortcodes]\nbig = "**{0}**"\n', encoding="utf-8")
    load(tmp_path)
    assert "<strong>word</strong>" in post("a").body_html
    version = post("a").version
    assert load(tmp_path).warnings == []
    assert post("a").version == version


def test_unknown_tags_make_drafts_on_request(tmp_path: Path) -> None:
    """`--drafts-for-unknown-tags` holds back a post with a tag that is not known."""
    write(tmp_path, "a.md", "x {{< unheard >}} y")
    write(tmp_path, "b.md", "x {{< youtube abc >}} y")
    load(tmp_path, drafts_for_unknown_tags=True)
    assert (post("a").status, post("b").status) == (Status.DRAFT, Status.PUBLISHED)


def test_a_file_that_export_wrote_keeps_every_character(tmp_path: Path) -> None:
    """The text of a post that was exported is not read for tags of other tools."""
    front = '+++\ntitle = "a"\nslug = "a"\npath = "/articles/a"\ndate = 2020-01-01\nlastmod = 2020-01-01\n+++\n'
    body = "x <!-- note --> %% y %% {{< z >}}"
    (tmp_path / "a.md").write_text(f"{front}\n{body}\n", encoding="utf-8")
    load(tmp_path)
    assert post("a").body_markdown == body


@pytest.mark.parametrize(("unsafe", "expected_lines"), [("", [5]), ("unsafe = true", [])])
def test_raw_html_that_hugo_did_not_show_is_named(
    tmp_path: Path, unsafe: str, expected_lines: list[int]
) -> None:
    """One remark for each file, unless the configuration shows raw HTML."""
    settings = f'baseURL = "https://old.example/"\n[markup.goldmark.renderer]\n{unsafe}\n'
    (tmp_path / "hugo.toml").write_text(settings, encoding="utf-8")
    write(tmp_path, "content/posts/a.md", "<b>x</b>\n\n<i>y</i>")
    lines = [remark.line for remark in load(tmp_path).warnings if "raw HTML" in remark.sentence]
    assert lines == expected_lines


def test_a_hugo_reference_leads_to_the_new_address(tmp_path: Path) -> None:
    """`ref` is read from the content folder, from beside the file, and by name."""
    (tmp_path / "hugo.toml").write_text('baseURL = "https://old.example/x/"\n', encoding="utf-8")
    write(tmp_path, "content/posts/b.md", "b")
    text = '[1]({{< ref "/posts/b.md" >}}) [2]({{< relref "b.md#c" >}}) [3]({{< ref "posts/b" >}})'
    write(tmp_path, "content/posts/a.md", text)
    load(tmp_path)
    assert post("a").body_html.count('href="/articles/b') == 3


def test_jekyll_expands_tags_inside_code(tmp_path: Path) -> None:
    """With Jekyll's configuration a comment inside a block of code is removed."""
    (tmp_path / "_config.yml").write_text("title: x\nbaseurl: /blog\n", encoding="utf-8")
    text = "```\n{% comment %}hidden{% endcomment %}{% raw %}{{ y }}{% endraw %}\n```\n"
    write(tmp_path, "_posts/2020-01-01-b.md", "b")
    link = "[b]({{ site.baseurl }}{% post_url 2020-01-01-b %})"
    write(tmp_path, "_posts/2020-01-01-a.md", text + link)
    load(tmp_path)
    assert "hidden" not in post("2020-01-01-a").body_markdown
    assert "{{ y }}" in post("2020-01-01-a").body_markdown
    assert 'href="/articles/b"' in post("2020-01-01-a").body_html
