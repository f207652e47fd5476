"""The places in which tools keep translations: Nikola's patterns, and Jekyll's `_i18n`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.importing.configuration import read_configuration
from app.publishing.importing.folder import import_folder
from app.publishing.importing.frontmatter import split
from app.publishing.models import Post, Redirect

CONF = """BLOG_TITLE = 'Crumbs'
SITE_URL = 'https://x.example/'
DEFAULT_LANG = 'en'
TRANSLATIONS = {{'en': '', 'fr': './fr'}}
TRANSLATIONS_PATTERN = '{pattern}'
POSTS = (('posts/*.md', 'blog', 'post.tmpl'), ('posts/*.html', 'blog', 'post.tmpl'))
"""
POST = "<!--\n.. title: {title}\n.. slug: bread\n.. date: 2020-01-02 10:00:00 UTC\n-->\n\n{title} text\n"


def write(root: Path, files: dict[str, str]) -> Path:
    """Write the files of a site."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def posts() -> dict[str, tuple[str, str | None]]:
    """Return the title and the language of each post by its slug."""
    rows = db.session.execute(sa.select(Post.slug, Post.title, Post.language))
    return {slug: (title, language) for slug, title, language in rows}


def redirects() -> dict[str, str]:
    """Return the slug of the post to which each old address leads."""
    joined = sa.select(Redirect.source, Post.slug).join(Post, Post.id == Redirect.post_id)
    return {row.source: row.slug for row in db.session.execute(joined)}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{path}.{lang}.{ext}", "posts/bread.fr.md"),
        ("{path}.{ext}.{lang}", "posts/bread.md.fr"),
        ("{path}_{lang}.{ext}", "posts/bread_fr.md"),
        ("{path}-{lang}.{ext}", "posts/bread-fr.md"),
        ("{path}.{ext}.{lang}", "posts/bread.html.fr"),
        ("{lang}/{path}.{ext}", "fr/posts/bread.md"),
    ],
)
def test_a_pattern_of_nikola_says_which_file_is_a_translation(
    app: Flask, tmp_path: Path, now: datetime, pattern: str, name: str
) -> None:
    """The translation has its language, its slug, and its address below `/fr`."""
    conf = CONF.format(pattern=pattern)
    suffix = ".html" if ".html" in name else ".md"
    files = {
        "conf.py": conf,
        f"posts/bread{suffix}": POST.format(title="Bread"),
        name: POST.format(title="Pain"),
    }
    if name.startswith("fr/"):
        files["conf.py"] += "PAGES = (('fr/posts/*.md', 'blog', 'post.tmpl'),)\n"
    report = import_folder(write(tmp_path, files), now=now)
    assert not report.skipped
    assert posts() == {"bread": ("Bread", None), "bread-fr": ("Pain", "fr")}
    assert redirects()["/blog/bread"] == "bread"
    assert redirects()["/fr/blog/bread"] == "bread-fr"


@pytest.mark.parametrize(
    "text",
    [
        POST.format(title="Bread"),
        POST.format(title="Bread").replace("<!--\n", "<!-- ").replace("\n-->", " -->"),
        POST.format(title="Bread").replace("<!--\n", "").replace("-->\n", ""),
    ],
)
def test_the_metadata_of_nikola_is_read(text: str) -> None:
    """The lines may stand in a comment, and the text below them is the body."""
    document = split(text)
    assert dict(document.values) == {
        "title": "Bread",
        "slug": "bread",
        "date": "2020-01-02 10:00:00 UTC",
    }
    assert document.body.strip() == "Bread text"
    assert text.split("\n")[document.line_of("slug") - 1].startswith(".. slug")


def test_posts_of_jekyll_lie_below_their_languages(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """`_i18n/fr/_posts` holds posts in French, and `_i18n/fr/about.md` a part of a page."""
    front = "---\ntitle: {}\n---\ntext\n"
    files = {
        "_config.yml": "url: https://x.example\nlanguages: [en, fr]\npermalink: /:title/\n",
        "_i18n/en/_posts/2020-01-02-bread.md": front.format("Bread"),
        "_i18n/fr/_posts/2020-01-02-bread.md": front.format("Pain"),
        "_i18n/fr/about.md": front.format("About"),
        "_i18n/en.yml": "a: b\n",
    }
    report = import_folder(write(tmp_path, files), now=now)
    assert posts() == {"bread": ("Bread", None), "bread-fr": ("Pain", "fr")}
    assert {"/bread": "bread", "/fr/bread": "bread-fr"}.items() <= redirects().items()
    assert [(str(one.path), one.sentence) for one in report.skipped] == [
        ("_i18n/fr/about.md", "is a text that other pages include, and no post")
    ]


def test_the_menu_of_docusaurus_is_read(tmp_path: Path) -> None:
    """The items of the navbar and of its menus are in order; the footer is no menu."""
    source = """export default {
  title: 'Crumbs',
  themeConfig: {
    navbar: {
      title: 'Crumbs', logo: {src: 'img/x.svg'},
      items: [
        {to: '/blog', label: 'Blog', position: 'left'},
        {type: 'dropdown', label: 'More', items: [{label: 'About', to: '/about'}]},
        {href: 'https://code.example/x', label: 'Code'},
        {type: 'search', position: 'right'},
      ],
    },
    footer: {links: [{title: 'F', items: [{label: 'Foot', to: '/foot'}]}]},
  },
};
"""
    write(tmp_path, {"docusaurus.config.js": source, "blog/2020-01-01-a.md": "text\n"})
    assert read_configuration(tmp_path).site.menu == (
        ("Blog", "/blog"),
        ("About", "/about"),
        ("Code", "https://code.example/x"),
    )
