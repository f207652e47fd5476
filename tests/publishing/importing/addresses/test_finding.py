"""The old address of a file, in a small site of each tool."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath

import pytest

from app.publishing.importing.configuration import read_configuration
from app.publishing.importing.inheritance import Inheritance
from app.publishing.importing.source_folder import Rules, SourcePost, scan

Front = str


def read_text(root: Path, path: PurePosixPath) -> str | None:
    """Read a file of the site, if there is one."""
    return (root / path).read_text() if (root / path).is_file() else None


def post_of(root: Path, files: dict[str, str], permalink: str = "") -> SourcePost:
    """Write a site whose last file is a post, and read that post."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    configuration = read_configuration(root)
    rules = Rules(
        configuration=configuration,
        permalink=permalink,
        inheritance=Inheritance(configuration=configuration, read_text=partial(read_text, root)),
    )
    posts = [post for post in scan(root, rules=rules) if str(post.path) == list(files)[-1]]
    assert len(posts) == 1
    assert isinstance(posts[0], SourcePost), posts[0]
    return posts[0]


HUGO = "title: T Å & B\ndate: 2020-02-03T23:30:00-04:00"
HUGO_CASES = [
    ("", "posts/My Post.md", HUGO, "/posts/my-post/"),
    ("", "posts/bundle/index.md", HUGO, "/posts/bundle/"),
    ("", "posts/2020-01-01-a.md", HUGO, "/posts/2020-01-01-a/"),
    ("", "posts/a.md", f"{HUGO}\nslug: -My Slug-", "/posts/my-slug/"),
    ("", "posts/a.md", f"{HUGO}\nurl: /Old/Path.php", "/Old/Path.php"),
    ("", "posts/a.md", f"{HUGO}\nurl: 'old/:year/'", "/old/2020/"),
    ("uglyURLs: true", "posts/a.md", HUGO, "/posts/a.html"),
    ("uglyURLs: {posts: true}", "notes/a.md", HUGO, "/notes/a/"),
    ("permalinks: {posts: '/:year/:month/:day/:slug/'}", "posts/a.md", HUGO, "/2020/02/03/t-å-b/"),
    ("permalinks: {posts: '/:2006/:1/:filename/'}", "posts/x/a.md", HUGO, "/2020/2/a/"),
    ("permalinks: {posts: '/:sections[1:]/:slugorfilename/'}", "posts/x/a.md", HUGO, "/x/a/"),
    (
        "permalinks: {posts: '/:yearday/:monthname/:title/'}",
        "posts/a.md",
        HUGO,
        "/34/february/t-å-b/",
    ),
    ("permalinks: {posts: '/x/'}", "notes/a.md", HUGO, "/notes/a/"),
    ("permalinks: {page: {posts: '/p/:slug'}}", "posts/a.md", f"{HUGO}\nslug: c++", "/p/c/"),
    ("removePathAccents: true", "posts/Ünï.md", HUGO, "/posts/uni/"),
    ("disablePathToLower: true", "posts/Big.md", HUGO, "/posts/Big/"),
    ("languages: {en: {weight: 1}, fr: {weight: 2}}", "posts/a.fr.md", HUGO, "/fr/posts/a/"),
    ("languages: {en: {weight: 1}}", "posts/a.fr.md", HUGO, "/posts/a.fr/"),
    (
        "defaultContentLanguageInSubdir: true\nlanguages: {en: {weight: 1}}",
        "posts/a.en.md",
        HUGO,
        "/en/posts/a/",
    ),
]

JEKYLL = "title: T\ndate: 2020-02-03 12:30:00 -0400"
LATE = "title: T\ndate: 2020-02-03 23:30:00 -0400"
JEKYLL_CASES = [
    ("", "_posts/2020-02-03-A_b.md", JEKYLL, "/2020/02/03/A_b.html"),
    ("", "_posts/2016-2-9-x.md", "title: T", "/2016/02/09/x.html"),
    ("timezone: Europe/Vienna", "_posts/2020-02-03-a.md", LATE, "/2020/02/04/a.html"),
    ("", "_posts/2020-02-03-a.md", f"{JEKYLL}\ncategories: One Two", "/one/two/2020/02/03/a.html"),
    ("", "x/_posts/2020-02-03-a.md", f"{JEKYLL}\ncategory: Big Y", "/x/big y/2020/02/03/a.html"),
    ("permalink: pretty", "_posts/2020-02-03-a.md", JEKYLL, "/2020/02/03/a/"),
    ("permalink: none", "_posts/2020-02-03-a.md", JEKYLL, "/a.html"),
    ("permalink: ordinal", "_posts/2020-02-03-a.md", JEKYLL, "/2020/034/a.html"),
    ("permalink: weekdate", "_posts/2020-02-03-a.md", JEKYLL, "/2020/W06/Mon/a.html"),
    ("permalink: /blog/:title", "_posts/2020-02-03-a.md", JEKYLL, "/blog/a"),
    ("permalink: '/:short_year/:i_month/:slug/'", "_posts/2020-02-03-A.b.md", JEKYLL, "/20/2/a-b/"),
    ("permalink: pretty", "about.md", "title: T", "/about/"),
    ("", "about.md", "title: T", "/about.html"),
    (
        "collections: {posts: {permalink: '/p/:title/'}}\npermalink: pretty",
        "_posts/2020-02-03-a.md",
        JEKYLL,
        "/p/a/",
    ),
    (
        "defaults: [{scope: {path: ''}, values: {permalink: '/d/:title/'}}]",
        "_posts/2020-02-03-a.md",
        JEKYLL,
        "/d/a/",
    ),
    ("permalink: pretty", "_posts/2020-02-03-a.md", f"{JEKYLL}\npermalink: /z/", "/z/"),
]

ZOLA_CASES = [
    ("", "blog/2020-02-03-a-b.md", "title = 'T'", "/blog/a-b/"),
    ("", "Blog Posts/Rust-1.12.md", "title = 'T'\ndate = 2020-02-03", "/Blog Posts/rust-1-12/"),
    ("", "blog/日本/index.md", "title = 'T'\ndate = 2020-02-03", "/blog/ri-ben/"),
    ("", "a.md", "title = 'T'\npath = '2020/X'", "/2020/X/"),
    ("[slugify]\npaths_keep_dates = true", "2020-02-03-a.md", "title = 'T'", "/2020-02-03-a/"),
    ("[slugify]\npaths = 'off'", "A b.md", "title = 'T'", "/A b/"),
    ("[languages.fr]", "blog/a.fr.md", "title = 'T'", "/fr/blog/a/"),
]

OTHER_CASES: list[tuple[str, str, str, str, str]] = [
    (
        "pelicanconf.py",
        "PATH='content'",
        "content/x/a.md",
        "title: A c++ b\ndate: 2020-02-03",
        "/a-c-b.html",
    ),
    (
        "pelicanconf.py",
        "PATH='content'\nARTICLE_URL='{date:%Y}/{category}/{slug}/'",
        "content/Big X/a.md",
        "title: T\ndate: 2020-02-03",
        "/2020/big-x/t/",
    ),
    ("pelicanconf.py", "PATH='content'", "content/pages/a.md", "title: T", "/pages/t.html"),
    ("_config.yml", "source_dir: source", "source/_posts/x/A b.md", JEKYLL, "/2020/02/03/x/A b/"),
    (
        "_config.yml",
        "source_dir: source\npermalink: ':category/:title.html'",
        "source/_posts/a.md",
        f"{JEKYLL}\ncategories: [One, Two x]",
        "/One/Two-x/a.html",
    ),
    (
        "_config.yml",
        "source_dir: source\nnew_post_name: ':year-:month-:day-:title.md'",
        "source/_posts/2020-02-03-a.md",
        JEKYLL,
        "/2020/02/03/a/",
    ),
    ("_config.yml", "source_dir: source", "source/about/index.md", "title: T", "/about/"),
    ("conf.py", "POSTS=(('blog/*.md','journal','x'),)", "blog/A b.md", JEKYLL, "/journal/a-b/"),
    (
        "conf.py",
        "PRETTY_URLS=False\nPOSTS=(('blog/*.md','journal','x'),)",
        "blog/sub/a.md",
        JEKYLL,
        "/journal/sub/a.html",
    ),
    ("docusaurus.config.js", "x = {}", "blog/2021-4-5-a.md", JEKYLL, "/blog/2021/04/05/a"),
    ("docusaurus.config.js", "x = {}", "blog/2021/04/05/a/index.md", JEKYLL, "/blog/2021/04/05/a"),
    ("docusaurus.config.js", "x = {}", "blog/a.md", f"{JEKYLL}\nslug: b", "/blog/b"),
    ("astro.config.mjs", "x = {}", "src/content/blog/A - b.md", JEKYLL, "/blog/a---b/"),
    ("astro.config.mjs", "x = {}", "src/content/blog/x/index.md", JEKYLL, "/blog/x/"),
    (
        ".eleventy.js",
        "x = {dir: {input: 'src'}}",
        "src/posts/2020-02-03-a.md",
        JEKYLL,
        "/posts/2020-02-03-a/",
    ),
    (".eleventy.js", "x = {}", "posts/x/x.md", JEKYLL, "/posts/x/"),
    (".eleventy.js", "x = {}", "a.md", f"{JEKYLL}\npermalink: false", "/a/"),
    (
        ".eleventy.js",
        "x = {}",
        "a.md",
        f"{JEKYLL}\npermalink: '/b/{{{{ title | slugify }}}}/'",
        "/b/t/",
    ),
]
CASES = [
    *(
        ({"hugo.yaml": c + "\ntitle: x"}, f"content/{p}", f"---\n{f}\n---\nx", a)
        for c, p, f, a in HUGO_CASES
    ),
    *(({"_config.yml": c}, p, f"---\n{f}\n---\nx", a) for c, p, f, a in JEKYLL_CASES),
    *(
        (
            {"config.toml": f"base_url = 'https://x.org'\n{c}"},
            f"content/{p}",
            f"+++\n{f}\n+++\nx",
            a,
        )
        for c, p, f, a in ZOLA_CASES
    ),
    *(({n: c}, p, f"---\n{f}\n---\nx", a) for n, c, p, f, a in OTHER_CASES),
]


@pytest.mark.parametrize(("site", "path", "text", "address"), CASES)
def test_each_tool_has_its_own_address(
    tmp_path: Path, site: dict[str, str], path: str, text: str, address: str
) -> None:
    """The address is what the tool made of the file, with its own rules and tokens."""
    assert post_of(tmp_path, {**site, path: text}).source_url == address


def test_both_days_are_registered_when_zones_disagree(tmp_path: Path) -> None:
    """The builder's zone is not always known; the tool's own choice comes first."""
    post = post_of(
        tmp_path,
        {"_config.yml": "permalink: date", "_posts/2020-02-03-a.md": f"---\n{LATE}\n---\nx"},
    )

    assert {post.source_url, *post.siblings} == {"/2020/02/03/a.html", "/2020/02/04/a.html"}


def test_a_pattern_overrules_the_configuration_but_not_the_file(tmp_path: Path) -> None:
    """`--permalink` is for sites whose configuration does not tell."""
    files = {"a.md": f"---\n{HUGO}\n---\nx"}
    assert post_of(tmp_path, files, "/:year/:month/:title/").source_url == "/2020/02/a/"

    files = {"b.md": f"---\n{HUGO}\nurl: /z/\n---\nx"}
    assert post_of(tmp_path, files, "/:year/:title/").source_url == "/z/"


def test_a_site_without_configuration_has_no_content_folder_in_its_addresses(
    tmp_path: Path,
) -> None:
    """`content/` and its kind are never a part of an address."""
    for folder in ("content", "src/content", "src/posts"):
        files = {f"{folder}/notes/a.md": f"---\n{HUGO}\n---\nx"}
        root = tmp_path / folder.replace("/", "-")
        assert post_of(root, files).source_url == "/notes/a/"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "posts.11tydata.js",
            "module.exports = {permalink: '/{{ page.date | toDatePath }}/{{ page.fileSlug }}/'}",
        ),
        (
            "posts.json",
            '{"permalink": "/{{ page.date | date: \'%Y/%m/%d\' }}/{{ page.fileSlug }}/"}',
        ),
        (
            "posts.11tydata.json",
            '{"permalink": "/{{ page.date | format(\'yyyy/LL/dd\') }}/{{ page.fileSlug }}/"}',
        ),
    ],
)
def test_eleventy_takes_the_permalink_from_data_files(tmp_path: Path, name: str, data: str) -> None:
    """A data file of a folder is for all its posts; of JavaScript the literals are read."""
    text = f"---\n{JEKYLL}\n---\nx"
    files = {".eleventy.js": "x = {}", f"posts/{name}": data, "posts/2020-02-03-a.md": text}
    assert post_of(tmp_path, files).source_url == "/2020/02/03/a/"


def test_an_alias_with_a_query_is_no_path(tmp_path: Path) -> None:
    """`/?p=20` is kept apart from the home page."""
    post = post_of(
        tmp_path, {"a.md": "---\ntitle: A\naliases: ['/?p=20', '/index.php?p=21', /b/]\n---\nx"}
    )
    assert post.aliases == ("/?p=20", "/index.php?p=21", "/b/")


def test_hostile_patterns_end(tmp_path: Path) -> None:
    """A pattern is filled once; values are never read as patterns."""
    files = {"_config.yml": "permalink: '" + ":title" * 3000 + "'"}
    files["_posts/2020-02-03-a.md"] = "---\ntitle: ':title:title'\n---\nx"

    assert post_of(tmp_path, files).source_url.startswith("/a")
