"""Redirect files of tools and hosts: what is taken, and what is named."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.importing.folder import import_folder
from app.publishing.importing.redirects import reading
from app.publishing.importing.report import Report
from app.publishing.models import Redirect

BREAD = "---\ntitle: Bread\ndate: 2020-01-01\n---\nx\n"
HUGO = {"hugo.toml": 'baseURL = "https://old.example"\n', "content/posts/bread.md": BREAD}
Files = dict[str, str]


def write(root: Path, files: Files) -> Path:
    """Write files into the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def remarks(report: Report, word: str = "") -> list[str]:
    """The remarks that have this word."""
    every = (*report.skipped, *report.warnings)
    return [str(remark) for remark in every if word in str(remark)]


def sources() -> set[str]:
    """The old addresses that redirect."""
    return set(db.session.scalars(sa.select(Redirect.source)))


TAKEN: dict[str, Files] = {
    "Netlify": {"static/_redirects": "# old\n/old  /posts/bread/  301! # moved\n/x\n"},
    "Netlify without a status": {"_redirects": "/old /posts/bread\n"},
    "Cloudflare": {"public/_redirects": "/old https://old.example/posts/bread/ 308\n"},
    "Hugo's template": {"layouts/index.redirects": "{{ range .Pages }} /a /b\n/old /posts/bread/\n"},
    "netlify.toml": {
        "netlify.toml": '[[redirects]]\nfrom = "/old"\nto = "/posts/bread/"\nstatus = 301\n'
    },
    "a host in front": {"_redirects": "https://www.old.example/old /posts/bread/ 301\n"},
    "a table": {"redirects.json": '{"/old": "/posts/bread/"}'},
    "a list": {"redirects.json": '[{"from": "/old", "to": "/posts/bread/"}]'},
    "Ghost": {"redirects.json": '{"301": {"^/old/?$": "/posts/bread/"}}'},
    "Ghost in YAML": {"redirects.yaml": "301:\n  /old: /posts/bread/\n"},
    "Vercel": {
        "vercel.json": '{"redirects": [{"source": "/old", "destination": "/posts/bread/"}]}'
    },
    "Firebase": {
        "firebase.json": '{"hosting": {"redirects": [{"source": "/old", '
        '"destination": "/posts/bread/", "type": 301}]}}'
    },
    "Azure": {
        "staticwebapp.config.json": '{"routes": [{"route": "/old", "redirect": "/posts/bread/"}]}'
    },
    "Apache": {".htaccess": "RewriteEngine on\nRedirect 301 /old https://old.example/posts/bread/\n"},
    "Apache's short form": {"static/.htaccess": 'RedirectPermanent "/old" /posts/bread/\n'},
    "Docusaurus": {
        "docusaurus.config.js": "module.exports = {plugins: [['@docusaurus/plugin-client-redirects',"
        "{redirects: [{from: ['/x1', '/old'], to: '/posts/bread/'}]}]],"
        "navbar: {items: [{to: '/blog', label: 'B'}]}}"
    },
    "Next": {
        "next.config.js": "module.exports = {async redirects() { return [{source: '/old', "
        "destination: '/posts/bread/', permanent: true}]}, async rewrites() { return ["
        "{source: '/rewritten', destination: '/posts/bread/'}]}}"
    },
    "Gatsby": {
        "gatsby-node.js": "createRedirect({fromPath: '/old', toPath: `/posts/bread/`, "
        "isPermanent: true})"
    },
    "a chain": {"_redirects": "/old /older\n/older /oldest\n/oldest /posts/bread/\n"},
}  # fmt: skip


@pytest.mark.parametrize("host", TAKEN)
def test_a_redirect_to_a_post_is_taken(
    app: Flask, tmp_path: Path, now: datetime, host: str
) -> None:
    """In one step; a second import takes nothing and says nothing."""
    tool = {} if host == "Docusaurus" else {"hugo.toml": HUGO["hugo.toml"]}
    post = "blog/bread.md" if host == "Docusaurus" else "content/posts/bread.md"
    files = {
        name: text.replace("/posts/bread/", "/blog/bread") for name, text in TAKEN[host].items()
    }
    files = files if host == "Docusaurus" else TAKEN[host]
    report = import_folder(write(tmp_path, tool | files | {post: BREAD}), now=now)
    answer = app.test_client().get("/old")
    assert (answer.status_code, answer.location) == (301, "/articles/bread")
    assert "/rewritten" not in sources()
    assert len(remarks(report, "redirects are taken from here")) == 1
    assert remarks(report, "not taken") == []
    before = sources()
    again = import_folder(tmp_path, now=now)
    assert sources() == before
    assert remarks(again, "redirect") == []


CONFIGURED: dict[str, Files] = {
    "Nikola": {
        "conf.py": "BLOG_TITLE = 'x'\nREDIRECTIONS = [('old/index.html', '/posts/bread/')]\n",
        "posts/bread.md": BREAD,
    },
    "Hexo": {
        "_config.yml": "source_dir: source\npermalink: /posts/:title/\nalias:\n  old/: posts/bread/\n",
        "source/_posts/bread.md": BREAD,
    },
    "Hexo's front matter": {
        "_config.yml": "source_dir: source\n",
        "source/_posts/bread.md": BREAD.replace("date", "alias: old/index.html\ndate"),
    },
    "Jekyll": {
        "_config.yml": "plugins: [jekyll-redirect-from]\n",
        "_posts/2020-01-01-bread.md": BREAD.replace("date", "redirect_from: [/old/]\ndate"),
    },
    "Astro": {
        "astro.config.mjs": "export default defineConfig({redirects: {'/old': '/bread'}})",
        "src/content/bread.md": BREAD,
    },
    "Jekyll's redirect_to": {
        "_config.yml": "permalink: /:title/\n",
        "_posts/2020-01-01-bread.md": BREAD,
        "_posts/2019-01-01-old.md": "---\ntitle: Old\nredirect_to:\n  - /bread/\n---\nx\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("tool", CONFIGURED)
def test_redirects_of_a_tool_are_taken(
    app: Flask, tmp_path: Path, now: datetime, tool: str
) -> None:
    """From its configuration and from front matter."""
    import_folder(write(tmp_path, CONFIGURED[tool]), now=now)
    answer = app.test_client().get("/old")
    assert (answer.status_code, answer.location) == (301, "/articles/bread")


@pytest.mark.parametrize("key", ["redirect_to", "redirect", "Redirect_URL"])
def test_a_post_that_redirects_to_the_web_leads_there(
    app: Flask, tmp_path: Path, now: datetime, key: str
) -> None:
    """Its text is a draft, as the old site never showed it."""
    front = f"---\ntitle: Old\ndate: 2019-01-01\n{key}: https://example.org/new\n---\nx\n"
    files = {"_config.yml": "permalink: /:title/\n", "_posts/2019-01-01-old.md": front}
    import_folder(write(tmp_path, files), now=now)
    assert app.test_client().get("/old").location == "https://example.org/new"
    assert app.test_client().get("/articles/old").status_code == 404


NAMED = {
    "a splat": ("/blog/*  /posts/:splat", "pattern"),
    "a placeholder": ("/a/:year/x /posts/bread/", "pattern"),
    "a temporary one": ("/a /posts/bread/ 302", "not permanent"),
    "a rewrite": ("/a /posts/bread/ 200", "not permanent"),
    "a country": ("/a /posts/bread/ 301 Country=de", "condition"),
    "a circle": ("/a /b\n/b /a", "circle"),
    "itself": ("/a /A/", "circle"),
    "another host": ("https://other.example/a /posts/bread/", "another host"),
    "no page": ("/a /nothing", "leads to no page of this site"),
    "a query": ("/a id=5 /posts/bread/", "query"),
    "the home page": ("/ /posts/bread/", "home page"),
    "a script": ("/a //evil.example\\x", "not taken"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_taken_is_named(app: Flask, tmp_path: Path, now: datetime, name: str) -> None:
    """With file and line; nothing is redirected."""
    lines, reason = NAMED[name]
    report = import_folder(write(tmp_path, HUGO | {"_redirects": lines}), now=now)
    assert any(reason in remark for remark in remarks(report, "_redirects:1: "))
    assert sources() <= {"/posts/bread"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".htaccess", "RedirectMatch 301 ^/a(.*) /b\nRewriteRule ^x$ /y [R=301,L]\nRedirect gone /a\n"),
        (".htaccess", "Redirect temp /a /posts/bread/\nRedirectTemp /a /posts/bread/\n"),
        ("vercel.json", '{"redirects": [{"source": "/a/(.*)", "destination": "/"}]}'),
        ("redirects.json", '[{"from": "/a", "to": "/", "permanent": false}]'),
        ("redirects.json", '{"302": {"/a": "/"}}'),
    ],
)  # fmt: skip
def test_patterns_and_other_statuses_are_named(
    app: Flask, tmp_path: Path, now: datetime, file: str, text: str
) -> None:
    """In every format."""
    report = import_folder(write(tmp_path, HUGO | {file: text}), now=now)
    assert remarks(report, "not taken")
    assert sources() == {"/posts/bread"}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("_redirects", b"\xff\xfe/a /b"),
        ("_redirects", b"/a /b\n" * 400_000),
        ("redirects.json", b"[" * 100_000),
        ("redirects.json", b'{"a": '),
        ("vercel.json", b"[1]"),
        ("redirects.yaml", b"a: &a [x]\nb: " + b"[*a, *a]" * 20),
        ("netlify.toml", b"= broken"),
        ("next.config.js", b"{" * 100_000),
        (".htaccess", b"Redirect '\nRedirect\nRedirect 301\n\0"),
    ],
)
def test_a_hostile_file_stops_no_import(
    app: Flask, tmp_path: Path, now: datetime, file: str, data: bytes
) -> None:
    """It is named or passed over, within the limits of `site.toml`; the post is imported."""
    write(tmp_path, HUGO)
    (tmp_path / file).write_bytes(data)
    report = import_folder(tmp_path, now=now)
    assert report.counts["imported"] == 1  # type: ignore[index] # StrEnum
    assert sources() == {"/posts/bread"}


def test_too_many_redirects_are_cut(
    app: Flask, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place of the first that is left out is named."""
    monkeypatch.setattr(reading, "MAX_REDIRECTS", 2)
    text = "".join(f"/a{number} /posts/bread/\n" for number in range(4))
    report = import_folder(write(tmp_path, HUGO | {"_redirects": text}), now=now)
    assert sources() == {"/posts/bread", "/a0", "/a1"}
    assert remarks(report, "_redirects:3: there are more than 2 redirects")


def test_a_symbolic_link_out_of_the_folder_is_not_read(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """A redirect file is read as every other file."""
    write(tmp_path, {"outside": "/a /posts/bread/\n"})
    write(tmp_path / "site", HUGO)
    (tmp_path / "site" / "_redirects").symlink_to(tmp_path / "outside")
    report = import_folder(tmp_path / "site", now=now)
    assert remarks(report, "leads out of the folder")
    assert sources() == {"/posts/bread"}


def test_a_dry_run_counts_the_redirects(app: Flask, tmp_path: Path, now: datetime) -> None:
    """And takes none."""
    files = HUGO | {"_redirects": "/old /posts/bread/\n/w https://example.org/\n"}
    report = import_folder(write(tmp_path, files), now=now, dry_run=True)
    assert remarks(report, "2 redirects would be taken from here")
    assert sources() == set()
