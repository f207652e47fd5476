"""The configuration of each tool, read from small sites."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import pytest

from app.publishing.importing.configuration import (
    SourceConfiguration,
    Tool,
    detect_tool,
    read_configuration,
)


def read(root: Path, files: dict[str, str]) -> SourceConfiguration:
    """Write the files of a site and read its configuration."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_configuration(root)


SITES: list[tuple[Tool, dict[str, str]]] = [
    (Tool.HUGO, {"hugo.toml": "baseURL = 'https://x.org/blog/'\ntitle = 'Crumbs'\n"}),
    (Tool.HUGO, {"config.yaml": "baseURL: https://x.org/blog/\ntitle: Crumbs\n"}),
    (Tool.HUGO, {"config.json": '{"baseurl": "https://x.org/blog/", "TITLE": "Crumbs"}'}),
    (
        Tool.HUGO,
        {
            "config/_default/hugo.yaml": "title: Other\nbaseURL: https://x.org/blog/",
            "config/production/hugo.yaml": "title: Crumbs",
        },
    ),
    (
        Tool.JEKYLL,
        {"_config.yml": "title: Crumbs\nurl: https://x.org\nbaseurl: /blog\n"},
    ),
    (Tool.JEKYLL, {"_config.toml": "title = 'Crumbs'\nurl = 'https://x.org/'\nbaseurl = 'blog'"}),
    (Tool.ZOLA, {"config.toml": "base_url = 'https://x.org/blog'\ntitle = 'Crumbs'"}),
    (Tool.ZOLA, {"zola.toml": "base_url = 'https://x.org/blog'\ntitle = 'Crumbs'"}),
    (
        Tool.PELICAN,
        {
            "pelicanconf.py": "SITENAME = 'Crumbs'\nSITEURL = ''\n",
            "publishconf.py": "import os\nfrom pelicanconf import *\n"
            "SITEURL = 'https://x.org/blog'\nos.mkdir('executed')\n",
        },
    ),
    (
        Tool.HEXO,
        {"_config.yml": "title: Crumbs\nurl: https://x.org/blog\nroot: /blog/\nsource_dir: source"},
    ),
    (
        Tool.NIKOLA,
        {"conf.py": "DEFAULT_LANG = 'en'\nBLOG_TITLE = 'Crumbs'\nSITE_URL = 'https://x.org/blog/'"},
    ),
    (
        Tool.DOCUSAURUS,
        {
            "docusaurus.config.ts": "import {x} from 'y';\n// title: 'No'\nconst config: Config = {\n"
            "  title: 'Crumbs', url: 'https://x.org',\n  baseUrl: '/blog/',\n};\nexport default config;"
        },
    ),
    (
        Tool.ASTRO,
        {
            "astro.config.mjs": "export default defineConfig({site: 'https://x.org', base: '/blog'})",
            "src/consts.ts": 'export const SITE_TITLE = "Crumbs";',
        },
    ),
    (
        Tool.ELEVENTY,
        {
            ".eleventy.js": "module.exports = function (c) {\n  c.addPassthroughCopy('img');\n"
            "  return { dir: { input: 'src' }, pathPrefix: '/blog/' };\n};",
            "src/_data/metadata.json": '{"title": "Crumbs", "url": "https://x.org"}',
        },
    ),
]


@pytest.mark.parametrize(("tool", "files"), SITES, ids=lambda value: str(value)[:30])
def test_each_tool_is_recognised_with_its_title_and_address(
    tmp_path: Path, tool: Tool, files: dict[str, str]
) -> None:
    """The tool, the title and the base URL come from the tool's own file; no code is executed."""
    configuration = read(tmp_path, files)

    assert configuration.tool is tool
    assert configuration.site.title == "Crumbs"
    assert configuration.base_url.rstrip("/") == "https://x.org/blog"
    assert configuration.prefix == "/blog"
    assert not configuration.remarks
    assert {str(path) for path in configuration.files} == files.keys()
    assert detect_tool(tmp_path) is tool
    assert not list(tmp_path.rglob("executed"))


def test_hugo_reads_permalinks_languages_menu_and_time_zone_in_any_case(tmp_path: Path) -> None:
    """Hugo's keys ignore case; the tables for languages and menus may be files of their own."""
    configuration = read(
        tmp_path,
        {
            "config/_default/config.toml": 'TimeZone = "Europe/Vienna"\ncontentDir = "text"\n'
            '[permalinks]\nposts = "/:year/:slug/"\n[permalinks.page]\nnotes = "/n/:slug/"\n',
            "config/_default/languages.toml": '[de]\nweight = 2\ncontentDir = "de"\n'
            '[en]\nweight = 1\ntitle = "Crumbs"\n[fr]\ndisabled = true\n',
            "config/_default/menus.en.toml": '[[main]]\nname = "Two"\nurl = "/2/"\nweight = 2\n'
            '[[main]]\nname = "One"\npageRef = "/1"\nweight = 1\n',
            "config/_default/params.toml": 'description = "On bread"\n[author]\nname = "Ada"\n'
            'email = "ada@example.org"\n',
        },
    )

    assert configuration.time_zone == ZoneInfo("Europe/Vienna")
    assert configuration.languages == ("en", "de")
    assert configuration.default_language == "en"
    assert configuration.content_folders == (PurePosixPath("de"), PurePosixPath("text"))
    assert configuration.permalink("posts") == "/:year/:slug/"
    assert configuration.permalink("notes") == "/n/:slug/"
    assert configuration.site.title == "Crumbs"
    assert configuration.site.description == "On bread"
    assert configuration.site.author == "Ada"
    assert configuration.site.menu == (("One", "/1"), ("Two", "/2/"))


def test_hugo_accepts_permalinks_as_a_list_of_targets(tmp_path: Path) -> None:
    """Rules for other kinds than pages are left out."""
    text = (
        "permalinks:\n- target: {path: '/posts/**'}\n  pattern: /:year/:slug/\n"
        "- target: {kind: section, path: /posts}\n  pattern: /all/\n"
    )
    configuration = read(tmp_path, {"hugo.yaml": text})

    assert [(rule.scope, rule.pattern) for rule in configuration.permalinks] == [
        ("posts", "/:year/:slug/")
    ]


def test_jekyll_reads_permalinks_collections_and_time_zone(tmp_path: Path) -> None:
    """A norwegian site keeps its language, which YAML 1.1 would read as false."""
    text = (
        "lang: no\ntimezone: America/New_York\npermalink: pretty\nauthor: {name: Ada}\n"
        "collections:\n  recipes: {output: true, permalink: '/r/:path/'}\n"
        "defaults:\n- scope: {path: ''}\n  values: &v {published: false}\n"
        "- scope: {path: x}\n  values: *v\n"
    )
    configuration = read(tmp_path, {"_config.yml": text})

    assert configuration.default_language == "no"
    assert configuration.time_zone == ZoneInfo("America/New_York")
    assert configuration.permalink() == "pretty"
    assert configuration.permalink("recipes") == "/r/:path/"
    assert configuration.site.author == "Ada"
    assert configuration.values["defaults"][1]["values"] == {"published": False}


def test_python_names_give_earlier_texts_and_expressions_are_left_out(tmp_path: Path) -> None:
    """Nikola's own template writes `{DEFAULT_LANG: …}`; a call has no value that can be read."""
    text = (
        "import time\nDEFAULT_LANG = 'de'\nTIMEZONE = 'UTC'\nBLOG_TITLE = 'Krumen'\n"
        "TRANSLATIONS = {DEFAULT_LANG: '', 'en': './en'}\nBLOG_AUTHOR = open('/etc/passwd').read()\n"
        "POSTS = (('blog/*.md', 'journal', 'post.tmpl'), ('blog/*.rst', 'journal', 'post.tmpl'))\n"
        "NAVIGATION_LINKS = {DEFAULT_LANG: (('/archive.html', 'Archiv'),)}\n"
    )
    configuration = read(tmp_path, {"conf.py": text})

    assert configuration.languages == ("de", "en")
    assert configuration.time_zone is UTC
    assert configuration.content_folders == (PurePosixPath("blog"), PurePosixPath("pages"))
    assert configuration.permalink("blog") == "journal"
    assert configuration.site.author == ""
    assert configuration.site.menu == (("Archiv", "/archive.html"),)


def test_docusaurus_reads_the_blog_of_its_preset(tmp_path: Path) -> None:
    """The options of the blog stand deep inside a list of presets."""
    text = (
        "module.exports = {\n title: 'Crumbs', tagline: `On bread`, trailingSlash: true,\n"
        " i18n: {defaultLocale: 'de', locales: ['de', 'en']},\n"
        " presets: [['classic', {docs: {path: 'manual', routeBasePath: 'd'},\n"
        "   blog: {path: './news', routeBasePath: '/', showReadingTime: true}}]],\n};"
    )
    configuration = read(tmp_path, {"docusaurus.config.js": text})

    assert configuration.content_folders == (PurePosixPath("news"),)
    assert configuration.permalink("blog") == ""
    assert configuration.languages == ("de", "en")
    assert configuration.values["trailingSlash"] is True
    assert configuration.site.description == "On bread"


def test_the_configuration_is_found_above_the_content_folder(tmp_path: Path) -> None:
    """Naming the content folder, or a folder in it, gives the same configuration as the root."""
    read(tmp_path, {"hugo.toml": "baseURL = 'https://x.org'", "content/posts/a.md": "x"})
    (tmp_path / "static").mkdir()

    for folder in ("content", "content/posts"):
        configuration = read_configuration(tmp_path / folder)
        assert configuration.root == tmp_path.resolve()
        assert configuration.tool is Tool.HUGO
        assert configuration.static_folders == (PurePosixPath("static"),)


def test_a_folder_that_is_no_content_keeps_away_from_the_configuration_above_it(
    tmp_path: Path,
) -> None:
    """A folder of notes inside another site has no configuration."""
    read(tmp_path, {"hugo.toml": "baseURL = 'https://x.org'", "notes/a.md": "x"})

    configuration = read_configuration(tmp_path / "notes")

    assert configuration.tool is None
    assert configuration.root == (tmp_path / "notes").resolve()


def test_a_folder_of_jekyll_posts_finds_the_configuration_above_it(tmp_path: Path) -> None:
    """`_posts` is a content folder wherever it lies."""
    read(tmp_path, {"_config.yml": "permalink: /:title/", "_posts/2020-01-01-a.md": "x"})

    assert read_configuration(tmp_path / "_posts").permalink() == "/:title/"


def test_the_conf_of_sphinx_is_not_nikolas(tmp_path: Path) -> None:
    """Both tools call their file `conf.py`."""
    assert read(tmp_path, {"conf.py": "project = 'x'\nextensions = []\n"}).tool is None


BOMB = "a: &a [x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)
HOSTILE: dict[str, tuple[str, str]] = {
    "yaml bomb": ("_config.yml", BOMB),
    "yaml that contains itself": ("_config.yml", "a: &a\n  b: *a\n"),
    "yaml object": ("_config.yml", "a: !!python/object/apply:os.system ['touch executed']\n"),
    "yaml list": ("_config.yml", "- a\n"),
    "deep yaml": ("_config.yml", "[" * 5000),
    "deep json": ("hugo.json", '{"a":' * 50_000),
    "deep toml": ("hugo.toml", "a = " + "[" * 5000),
    "broken toml": ("hugo.toml", "a = \n"),
    "broken python": ("pelicanconf.py", "A = (\n"),
    "deep python": ("pelicanconf.py", "A = " + "-" * 50_000 + "1"),
    "null bytes": ("pelicanconf.py", "A = 1\0"),
    "too many tokens": ("astro.config.mjs", "a," * 60_000),
    "too large": ("_config.yml", "a: " + "x" * 300_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_gives_a_remark_and_nothing_else(tmp_path: Path, name: str) -> None:
    """The tool is still recognised; the remark names the file."""
    file, text = HOSTILE[name]
    configuration = read(tmp_path, {file: text})

    assert configuration.tool is not None
    assert configuration.files == ()
    assert [remark.path for remark in configuration.remarks] == [file]
    assert len(str(configuration.remarks[0])) < 400
    assert not list(tmp_path.rglob("executed"))


def test_unreadable_kinds_of_files_are_left_alone(tmp_path: Path) -> None:
    """A named pipe would block for ever, and a link may lead out of the folder."""
    site = tmp_path / "site"
    site.mkdir()
    os.mkfifo(site / "_config.yml")
    (tmp_path / "secret.toml").write_text("title = 'Secret'")
    (site / "hugo.toml").symlink_to(tmp_path / "secret.toml")

    configuration = read_configuration(site)

    assert configuration.site.title == ""
    assert [str(remark) for remark in configuration.remarks] == [
        "hugo.toml: the configuration was not used: leads out of the folder"
    ]
