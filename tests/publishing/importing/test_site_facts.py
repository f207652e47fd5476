"""The site's own title, texts, language, author and menu, taken from each tool's configuration."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import SiteDraft
from app.publishing.importing.folder import import_folder
from app.publishing.importing.report import Report
from app.publishing.models import Author, Post, Site
from app.publishing.permissions import SYSTEM
from app.publishing.queries.site import settings

POST = "---\ntitle: Post\ndate: 2020-01-01\n---\nx\n"
PAGE = "---\ntitle: About\ntype: page\n---\nx\n"
OTHER = "---\ntitle: Contact\ntype: page\n---\nx\n"
Files = dict[str, str]

TOOLS: dict[str, Files] = {
    "Hugo": {
        "hugo.toml": (
            'title = "Ada\'s notes"\nlanguageCode = "de-CH"\n[params]\nsubtitle = "On looms"\n'
            'description = "All of it"\nauthor = "Ada"\n[menus]\n'
            '[[menus.main]]\nname = "A"\npageRef = "/about"\nweight = 2\n'
            '[[menus.main]]\nname = "C"\nurl = "/contact/"\nweight = 1\n'
        ),
        "content/posts/post.md": POST,
        "content/about.md": PAGE,
        "content/contact.md": OTHER,
    },
    "Jekyll": {
        "_config.yml": (
            "title: Ada's notes\ntagline: On looms\ndescription: >-\n  All\n  of it\nlang: de_CH\n"
            "author:\n  name: Ada\n  email: ada@example.org\nheader_pages: [contact.md, about.md]\n"
        ),
        "_posts/2020-01-01-post.md": POST,
        "about.md": PAGE,
        "contact.md": OTHER,
    },
    "Hexo": {
        "_config.yml": (
            "source_dir: source\ntitle: Ada's notes\nsubtitle: On looms\ndescription: All of it\n"
            "language: de-CH\nauthor: Ada\nmenu:\n  C: /contact/\n  A: /about/\n"
        ),
        "source/_posts/post.md": POST,
        "source/about/index.md": PAGE,
        "source/contact/index.md": OTHER,
    },
    "Zola": {
        "config.toml": (
            'base_url = "https://old.example"\ntitle = "Ada\'s notes"\ndescription = "All of it"\n'
            'default_language = "de-CH"\nauthor = "Ada"\n[extra]\ntagline = "On looms"\n'
            'menu = [{name = "C", url = "https://old.example/contact/"}, {name = "A", url = "/about"}]'
        ),
        "content/post.md": POST,
        "content/about.md": PAGE,
        "content/contact.md": OTHER,
    },
    "Pelican": {
        "pelicanconf.py": (
            "SITENAME = \"Ada's notes\"\nSITESUBTITLE = 'On looms'\nSITEDESCRIPTION = 'All of it'\n"
            "DEFAULT_LANG = 'de-CH'\nAUTHOR = 'Ada'\nMENUITEMS = [('C', '/pages/contact.html')]\n"
        ),
        "content/post.md": POST,
        "content/pages/about.md": PAGE,
        "content/pages/contact.md": OTHER,
    },
    "Nikola": {
        "conf.py": (
            "BLOG_TITLE = \"Ada's notes\"\nBLOG_DESCRIPTION = 'All of it'\nDEFAULT_LANG = 'de-CH'\n"
            "BLOG_TAGLINE = 'On looms'\nBLOG_AUTHOR = 'Ada'\nNAVIGATION_LINKS = {DEFAULT_LANG: "
            "(('/pages/contact/', 'C'), ('/pages/about/', 'A'))}\n"
        ),
        "posts/post.md": POST,
        "pages/about.md": PAGE,
        "pages/contact.md": OTHER,
    },
}
SCRIPTED: dict[str, Files] = {
    "Docusaurus": {
        "docusaurus.config.js": (
            "module.exports = {title: \"Ada's notes\", tagline: 'On looms',\n"
            "i18n: {defaultLocale: 'de-CH', locales: ['de-CH']}};"
        ),
        "blog/2020-01-01-post.md": POST,
    },
    "Astro": {
        "astro.config.mjs": "export default defineConfig({i18n: {defaultLocale: 'de-CH'}});",
        "src/consts.ts": (
            'export const SITE_TITLE = "Ada\'s notes";\n'
            "export const SITE_DESCRIPTION = 'All of it';\n"
        ),
        "src/content/blog/post.md": POST,
    },
    "Eleventy": {
        ".eleventy.js": "module.exports = {};",
        "_data/metadata.json": (
            '{"title": "Ada\'s notes", "description": "All of it", "language": "de-CH", '
            '"author": {"name": "Ada", "email": "ada@example.org"}}'
        ),
        "post.md": POST,
    },
}


def write(root: Path, files: Files) -> Path:
    """Write files into the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def remark_of(report: Report) -> list[str]:
    """The remarks about the site itself."""
    return [str(one) for one in report.warnings if "the site" in one.sentence]


def menu() -> list[str]:
    """The slugs of the pages in the menu, in their order."""
    statement = sa.select(Post.slug).where(Post.menu_position.is_not(None))
    return list(db.session.scalars(statement.order_by(Post.menu_position)))


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unnamed_site_is_named_as_the_old_one(
    app: Flask, tmp_path: Path, now: datetime, tool: str
) -> None:
    """Title, tagline, description, language, author and menu; one remark says so."""
    report = import_folder(write(tmp_path, TOOLS[tool]), now=now)
    site = settings()
    assert (site.title, site.language) == ("Ada's notes", "de-CH")
    assert (site.tagline, site.description) == ("On looms", "All of it")
    assert [author.name for author in db.session.scalars(sa.select(Author))] == ["Ada"]
    assert menu() == ["contact", "about"]
    (remark,) = remark_of(report)
    assert remark.startswith(next(iter(TOOLS[tool])))
    assert all(word in remark for word in ("Ada's notes", "On looms", "de-CH", "contact, about"))


@pytest.mark.parametrize("tool", SCRIPTED)
def test_literals_of_a_script_name_the_site(
    app: Flask, tmp_path: Path, now: datetime, tool: str
) -> None:
    """As far as its tool has such values."""
    report = import_folder(write(tmp_path, SCRIPTED[tool]), now=now)
    assert (settings().title, settings().language) == ("Ada's notes", "de-CH")
    assert settings().tagline == "On looms" or settings().description == "All of it"
    authors = [author.name for author in db.session.scalars(sa.select(Author))]
    assert authors == (["Ada"] if tool == "Eleventy" else [])
    assert len(remark_of(report)) == 1


def test_pages_of_eleventy_name_their_places_in_the_menu(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """By the tables of its navigation plug-in; an entry below another one has no place."""
    front = "---\ntitle: T\ntype: page\neleventyNavigation:\n  key: {}\n  order: {}\n{}---\nx\n"
    files = {
        "about.md": front.format("About", 20, ""),
        "contact.md": front.format("Contact", 3, ""),
        "team.md": front.format("Team", 1, "  parent: About\n"),
    }
    import_folder(write(tmp_path, SCRIPTED["Eleventy"] | files), now=now)
    assert menu() == ["contact", "about"]


def test_a_second_import_takes_nothing(app: Flask, tmp_path: Path, now: datetime) -> None:
    """The site has a name by then; a new title of the old tool does not change it."""
    write(tmp_path, TOOLS["Hugo"])
    import_folder(tmp_path, now=now)
    (tmp_path / "hugo.toml").write_text('title = "Another"\n')
    assert remark_of(import_folder(tmp_path, now=now)) == []
    assert settings().title == "Ada's notes"
    assert menu() == ["contact", "about"]


def test_what_somebody_has_set_stays(app: Flask, tmp_path: Path, now: datetime) -> None:
    """A named site keeps all its texts, the empty ones too, and an arranged menu stays."""
    write(tmp_path, TOOLS["Hugo"])
    actions.save_site(SiteDraft(title="Mine"), expected_version=None, actor=SYSTEM)
    (tmp_path / "content" / "about.md").write_text(PAGE.replace("type", "menu: main\ntype"))
    import_folder(tmp_path / "content" / "posts", now=now)
    assert (settings().title, settings().tagline, settings().language) == ("Mine", "", "en")


def test_a_field_that_was_set_before_the_name_stays(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Only fields with their default values are taken."""
    draft = SiteDraft(title="Broadsheet", tagline="My own line")
    actions.save_site(draft, expected_version=None, actor=SYSTEM)
    import_folder(write(tmp_path, TOOLS["Hugo"]), now=now)
    assert (settings().title, settings().tagline) == ("Ada's notes", "My own line")


def test_site_toml_wins(app: Flask, tmp_path: Path, now: datetime) -> None:
    """Its title, and its menu; nothing of the configuration is mixed in."""
    files = TOOLS["Jekyll"] | {"site.toml": 'title = "Mine"\nmenu = ["about"]\n'}
    report = import_folder(write(tmp_path, files), now=now)
    assert (settings().title, settings().tagline) == ("Mine", "")
    assert menu() == ["about"]
    assert remark_of(report) == []


def test_a_dry_run_shows_what_would_be_taken(app: Flask, tmp_path: Path, now: datetime) -> None:
    """And takes nothing."""
    report = import_folder(write(tmp_path, TOOLS["Hugo"]), now=now, dry_run=True)
    (remark,) = remark_of(report)
    assert "would take" in remark
    assert "contact, about" in remark
    assert db.session.get(Site, 1) is None


@pytest.mark.parametrize(
    ("line", "is_named"),
    [
        ("title: " + "x" * 300, True),
        ("title: '{{ site.name }}'", False),
        ("language: default\nsource_dir: source", False),
        ("lang: not a language", True),
        ("title: ''", False),
    ],
)
def test_a_value_that_the_site_refuses_is_named(
    app: Flask, tmp_path: Path, now: datetime, line: str, *, is_named: bool
) -> None:
    """The import goes on without it."""
    report = import_folder(write(tmp_path, {"_config.yml": line, "post.md": POST}), now=now)
    assert (settings().title, settings().language) == ("Broadsheet", "en")
    assert any("was not taken" in one for one in remark_of(report)) is is_named


def test_the_command_names_the_site(app: Flask, tmp_path: Path) -> None:
    """An import says so as long as the site has the default name."""
    runner = app.test_cli_runner()
    write(tmp_path, {"post.md": POST})
    command = 'flask content site --title "Your title"'
    assert command in runner.invoke(args=["content", "import", str(tmp_path)]).output
    result = runner.invoke(args=["content", "site", "--title", "Mine", "--language", "fr"])
    assert "title: Mine\n" in result.output
    assert (settings().title, settings().language) == ("Mine", "fr")
    assert command not in runner.invoke(args=["content", "import", str(tmp_path)]).output
    wrong = runner.invoke(args=["content", "site", "--language", "not one"])
    assert wrong.exit_code == 1
    assert "is not a language tag" in wrong.output
