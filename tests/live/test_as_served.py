from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Self
from urllib.parse import quote_plus

import psycopg
import pytest

from app import extensions
from app.edge.testing import assert_hit, assert_miss, assert_no_store, assert_stored
from app.extensions import db
from app.publishing import actions
from app.publishing.models import Post
from app.publishing.permissions import SYSTEM
from tests.site import content

from .gunicorn import flask
from .live_site import Site, eventually, start_site
from .postgres import Postgres
from .raw_http import Answer

pytestmark = pytest.mark.live

ARTICLE, OTHER = "/articles/small-print", "/articles/light-is-slow"
PAGES = {
    "home": "/",
    "article": ARTICLE,
    "another article": OTHER,
    "page": "/about",
    "topics": "/topics",
    "topic": "/topics/caching",
    "authors": "/authors",
    "author": "/authors/noor-castellan",
    "archive": "/archive",
    "year": "/archive/2026",
    "part of the archive": "/archive/pages/1",
    "feed": "/feed.xml",
    "feed in JSON": "/feed.json",
    "feed of a topic": "/topics/caching/feed.xml",
    "feed of an author": "/authors/noor-castellan/feed.json",
    "sitemap": "/sitemap.xml",
    "robots": "/robots.txt",
    "posts": "/api/posts",
    "post": "/api/posts/small-print",
    "topics in JSON": "/api/topics",
    "summary": "/api/summary",
    "download": "/downloads/posts.csv",
    "download in JSON": "/downloads/posts.json",
    "search": "/search?q=cache",
    "nothing": "/no-such-page",
    "redirect": "/About",
    "two minutes": "/edge/two-minutes",
    "favicon": "/favicon.ico",
}
"""What readers ask for, by kind; pictures and static files are found on the pages."""

NEVER_STORED = ("/edge/no-store", "/healthz", "/readyz")
HIT = re.compile(r"broadsheet; hit; ttl=\d+")


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """A site apart, to be written to, stopped and killed."""
    with start_site(sampled, tmp_path_factory.mktemp("tried")) as started:
        yield started


@pytest.fixture
def own(tried: Site) -> Site:
    """The site apart, with nothing stored."""
    tried.forget()
    return tried


@pytest.fixture(scope="module")
def files(site: Site) -> dict[str, str]:
    """A picture and a static file, as the home page names them."""
    home = site.ask("/").body.decode()
    digests = {}
    for kind in ("media", "static"):
        match = re.search(rf'(?:src|href)="(/{kind}/[^"]+)"', home)
        assert match, home
        digests[kind] = match[1]
    return digests


def everything(site: Site) -> dict[str, Answer]:
    """Every page, asked for once."""
    return {path: site.ask(path) for path in PAGES.values()}


@pytest.mark.parametrize("kind", [*PAGES, "media", "static"])
def test_a_page_is_stored_once_and_then_a_hit(site: Site, files: dict[str, str], kind: str) -> None:
    """With the whole of what was first sent, and an Age."""
    path = files.get(kind) or PAGES[kind]
    site.forget()
    first, second = site.ask(path), site.ask(path)
    assert first.cache_status == "broadsheet; fwd=uri-miss; stored"
    assert HIT.fullmatch(second.cache_status)
    assert "Age" not in first.headers
    assert int(second.headers["Age"]) <= 1
    assert first.page == second.page
    assert "Set-Cookie" not in first.headers


@pytest.mark.parametrize("kind", ["home", "article", "feed", "media", "static"])
def test_a_head_of_a_stored_page_is_a_hit(site: Site, files: dict[str, str], kind: str) -> None:
    """With the headers of the page, and no body."""
    path = files.get(kind) or PAGES[kind]
    whole, head = site.ask(path), site.ask(path, method="HEAD")
    assert_hit(head)
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(whole.body)))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("kind", ["home", "article", "feed", "media", "static"])
def test_two_heads_are_a_miss_and_a_hit(site: Site, files: dict[str, str], kind: str) -> None:
    """As whoever tries it with `curl -I` expects."""
    path = files.get(kind) or PAGES[kind]
    site.forget()
    assert_stored(site.ask(path, method="HEAD"))
    assert_hit(site.ask(path, method="HEAD"))


@pytest.mark.parametrize("path", NEVER_STORED)
def test_what_is_never_stored_is_made_anew(site: Site, path: str) -> None:
    """Whoever asks, however often."""
    for _ in range(2):
        answer = site.ask(path)
        assert_no_store(answer)
        assert "hit" not in answer.cache_status


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_each_coding_has_a_tag_of_its_own(site: Site, coding: str) -> None:
    """And each is answered with 304 by its own tag."""
    plain, packed = site.ask(ARTICLE), site.ask(ARTICLE, [("Accept-Encoding", coding)])
    assert packed.headers["Content-Encoding"] == coding
    assert len(packed.body) < len(plain.body)
    assert packed.headers["ETag"] != plain.headers["ETag"]
    conditional = [("Accept-Encoding", coding), ("If-None-Match", packed.headers["ETag"])]
    second = site.ask(ARTICLE, conditional)
    assert (second.status, second.body) == (304, b"")
    assert_hit(second)


def test_what_one_worker_stored_the_other_has(site: Site) -> None:
    """The store is that of the machine."""
    site.forget()
    first = site.ask(ARTICLE)
    assert_stored(first)
    workers = site.workers()
    assert len(workers) == 2
    for worker in workers:
        with site.alone(worker):
            answer = site.ask(ARTICLE)
        assert_hit(answer)
        assert answer.page == first.page


def test_a_restart_forgets_nothing(own: Site) -> None:
    """What was stored before is a HIT after, to the byte."""
    before = everything(own)
    own.restart()
    after = everything(own)
    for path, answer in after.items():
        assert_hit(answer)
        assert answer.page == before[path].page, path


class Readers:
    """Threads that go on asking for pages, and keep every answer that was not a broken line."""

    def __init__(self, site: Site, count: int = 4) -> None:
        self.site = site
        self.responses: list[tuple[str, Answer]] = []
        self.broken: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(at * 7,)) for at in range(count)]

    def _run(self, at: int) -> None:
        paths = [*PAGES.values()]
        while not self._over.is_set():
            at += 1
            path = paths[at % len(paths)]
            try:
                self.responses.append((path, self.site.ask(path)))
            except (OSError, HTTPException, AssertionError) as error:  # refused, or hung up upon
                self.broken.append(error)
                self._over.wait(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Wait for so many answers more."""
        enough = len(self.responses) + count
        assert eventually(lambda: len(self.responses) >= enough), self.broken[-3:]


def kill_a_worker(site: Site) -> None:
    """Kill one of the workers, and wait for the one that takes its place."""
    before = site.workers()
    os.kill(min(before), signal.SIGKILL)
    assert eventually(lambda: len(site.workers() - before) == 1)


def test_a_killed_worker_harms_no_page(own: Site) -> None:
    """Readers get right pages or a broken line, and soon two workers answer from the store again."""
    # Headers may say no-store: a page that could not be registered in time is not kept.
    right = {path: (answer.status, answer.body) for path, answer in everything(own).items()}
    right.pop(PAGES["two minutes"])
    own.forget()
    with Readers(own) as readers:
        for _ in range(2):
            readers.more(20)
            kill_a_worker(own)
        readers.more(40)
    pages = [(path, (answer.status, answer.body)) for path, answer in readers.responses]
    assert [one for one in pages if right.get(one[0], one[1]) != one[1]] == []
    assert eventually(lambda: len(own.workers()) == 2)
    for worker in own.workers():
        with own.alone(worker):
            assert eventually(lambda: "; hit" in own.ask(ARTICLE).cache_status)


def test_a_killed_server_comes_back_sound(own: Site) -> None:
    """Killed as a whole in the midst of requests that fill the store; nothing torn is served."""
    right = {path: answer.page for path, answer in everything(own).items()}
    right.pop(PAGES["two minutes"])
    own.forget()
    with Readers(own) as readers:
        readers.more(8)
        own.stop(by=signal.SIGKILL)
    own.start()
    for path, page in right.items():
        assert own.ask(path).page == page, path
        assert_hit(own.ask(path))


def test_without_the_gateway_the_site_is_the_same(
    tmp_path: Path, sampled: Path, site: Site
) -> None:
    """Each page has the bytes it has with it, no Cache-Status, and validates."""
    with start_site(
        sampled, tmp_path / "bare", FLASK_EDGE_GATEWAY="off", SITE_URL=site.url
    ) as bare:
        for path in PAGES.values():
            answer = bare.ask(path)
            assert "Cache-Status" not in answer.headers
            assert "Broadsheet-Cache-Control" not in answer.headers
            if path != PAGES["two minutes"]:
                with_it = site.ask(path)
                assert (answer.status, answer.body) == (with_it.status, with_it.body), path
                assert answer.headers.get("ETag") == with_it.headers.get("ETag")
            if answer.status == 200 and path != PAGES["two minutes"]:  # that one tells the time
                second = bare.ask(path, [("If-None-Match", answer.headers["ETag"])])
                assert second.status == 304


def edit(site: Site, words: str) -> None:
    """Let an action in another process add words to the article."""
    with site.acting():
        post = db.session.query(Post).filter_by(slug=ARTICLE.rpartition("/")[2]).one()
        draft = content.draft_of(post)
        draft = replace(draft, body_markdown=f"{draft.body_markdown}\n\n{words}")
        actions.revise(
            post.id, draft, expected_version=post.version, now=datetime.now(UTC), actor=SYSTEM
        )


def test_an_edit_makes_the_pages_that_show_it_miss_and_no_others(own: Site) -> None:
    """What changed was asked for anew; an article, a page and a topic that don't show it stay."""
    before = everything(own)
    edit(own, "Zanzibar was not mentioned before.")
    after = everything(own)
    assert b"Zanzibar" in after[ARTICLE].body
    changed_paths = {path for path in before if before[path].page != after[path].page}
    missed = {path for path in after if "hit" not in after[path].cache_status}
    clock = {PAGES["two minutes"]}
    assert {ARTICLE, PAGES["post"]} <= changed_paths
    assert changed_paths - clock <= missed
    unmoved = ("another article", "page", "topic", "author", "year", "robots", "nothing")
    assert {PAGES[kind] for kind in unmoved} & missed == set()


def test_a_command_in_another_process_purges_what_it_changed(own: Site, tmp_path: Path) -> None:
    """An import that revises one article is seen at once, an unrelated article stays a HIT."""
    folder = tmp_path / "posts"
    folder.mkdir()
    text = "---\ntitle: Small print\nslug: small-print-of-ours\ndate: 2026-01-02\n---\n\n{}\n"
    (folder / "ours.md").write_text(text.format("Once."))
    imported = flask("content", "import", str(folder), instance=own.folder, settings=linked(own))
    assert imported.returncode == 0, imported.stderr
    path = "/articles/small-print-of-ours"
    for each_path in (path, OTHER, "/about"):
        own.ask(each_path)
        assert_hit(own.ask(each_path))
    (folder / "ours.md").write_text(text.format("Twice, and Zanzibar."))
    imported = flask("content", "import", str(folder), instance=own.folder, settings=linked(own))
    assert imported.returncode == 0, imported.stderr
    edited_page = own.ask(path)
    assert_miss(edited_page)
    assert b"Zanzibar" in edited_page.body
    assert_hit(own.ask(OTHER))
    assert_hit(own.ask("/about"))


def linked(site: Site) -> dict[str, str]:
    """The settings by which another process knows where the site is."""
    return {"FLASK_PORT": str(site.port)}


def test_a_rename_moves_the_old_address_at_once(own: Site) -> None:
    """The old one redirects, the new one is no stored 404."""
    assert own.ask("/articles/the-new-measure").status == 404
    assert_hit(own.ask("/articles/the-new-measure"))
    everything(own)
    with own.acting():
        post = db.session.query(Post).filter_by(slug="the-measure").one()
        actions.rename(
            post.id,
            "the-new-measure",
            expected_version=post.version,
            now=datetime.now(UTC),
            actor=SYSTEM,
        )
    assert own.ask("/articles/the-new-measure").status == 200
    old = own.ask("/articles/the-measure")
    assert (old.status, old.headers["Location"]) == (301, "/articles/the-new-measure")
    for path in ("/", "/archive", "/feed.xml", "/api/posts", "/sitemap.xml"):
        body = own.ask(path).body
        assert b"articles/the-measure" not in body, path


def retitle(site: Site, title: str) -> None:
    """Give the article a title as the sqlite3 shell would, which knows nothing of us."""
    with closing(sqlite3.connect(site.folder / "broadsheet.db")) as connection, connection:
        connection.execute("UPDATE post SET title = ? WHERE slug = 'small-print'", [title])


def test_a_write_from_outside_is_noticed_within_a_second_or_so(own: Site) -> None:
    """The trigger knows of it, and the relay looks."""
    own.ask(ARTICLE)
    own.ask(OTHER)
    retitle(own, "Timbuktu")
    assert eventually(lambda: b"Timbuktu" in own.ask(ARTICLE).body, within=3)
    assert_hit(own.ask(OTHER))


SPELLINGS = {
    "a 404": "/articles/none",
    "a space at the end": "/about%20",
    "a question mark in the path": "/about%3Fx",
    "a percent sign": "/100%25",
    "a plus": "/a+b",
    "a semicolon": "/articles/small-print;x",
    "another alphabet": "/caf%C3%A9",
    "beyond the first plane": "/%F0%9F%98%80",
    "other brackets": "/%5Ba%5D%7Bb%7D",
    "an at and a colon": "/@a:b",
    "an upper-case address": "/About",
    "a slash at the end": "/topics/caching/",
    "an API without the post": "/api/posts/none",
    "a search": "/search?q=cache+%26+more",
    "an error with a query": "/api/none?x=1",
    "a redirect with a query": "/about/?x=1",
    "a query of odd bytes": "/articles/a/b?%FF%26&&=",
    "a long address": f"/{'a' * 3000}",
}


def test_whatever_is_stored_can_be_purged(own: Site) -> None:
    """The key of each stored page is the one its purge goes to, however it is spelt."""
    for path in SPELLINGS.values():
        own.ask(path)
        assert_hit(own.ask(path))
    with closing(sqlite3.connect(own.folder / "broadsheet.db")) as connection:
        query = "SELECT url FROM edge_page WHERE variant <> 'short-lived'"
        rows = connection.execute(f"{query} UNION SELECT url FROM edge_short_page")
        registered_urls = {url for (url,) in rows}
    assert own.count() == len(SPELLINGS)
    with own.acting() as app:
        for url in registered_urls:
            extensions.edge.purge(app, url)
    assert own.count() == 0


def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory, which only root can make; it is gone at the end."""
    folder.mkdir()
    program = shutil.which("mount")
    command = [str(program), "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if program is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("Only root can make a file system.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody can write, not even root."""
    yield from mounted(tmp_path / "read-only", "ro")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 700 kB."""
    yield from mounted(tmp_path / "small", "size=700k")


def test_a_store_that_can_not_be_written_only_costs_hits(
    tmp_path: Path, sampled: Path, read_only: Path
) -> None:
    """Pages are passed on, whole, also by the only worker there is."""
    settings = {"FLASK_EDGE_STORE": str(read_only), "WEB_CONCURRENCY": "1"}
    with start_site(sampled, tmp_path / "odd", **settings) as odd:
        assert len(odd.workers()) == 1
        for path in ("/", ARTICLE, "/feed.xml"):
            for _ in range(2):
                answer = odd.ask(path)
                assert answer.status == 200
                assert_miss(answer)
                assert "stored" not in answer.cache_status


def fill_up(file: Path) -> None:
    """Write until there is no room left."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def test_a_full_disk_only_costs_hits(tmp_path: Path, sampled: Path, small_disk: Path) -> None:
    """Pages are passed on once the store's disk is full, each of them whole."""
    settings = {"FLASK_EDGE_STORE": str(small_disk / "store"), "WEB_CONCURRENCY": "1"}
    with start_site(sampled, tmp_path / "full", **settings) as full:
        first = {path: answer.page for path, answer in everything(full).items()}
        fill_up(small_disk / "ballast")
        paths = [f"/search?q=word{number}" for number in range(20)]
        for path in [*PAGES.values(), *paths]:
            answer = full.ask(path)
            assert answer.status < 500, (path, full.log)
            if path in first and path != PAGES["two minutes"]:
                assert answer.page == first[path], path
        retitle(full, "Timbuktu")
        assert eventually(lambda: b"Timbuktu" in full.ask(ARTICLE).body, within=3)


@pytest.fixture(scope="module")
def on_postgres(
    postgres: Postgres, sampled_postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The site with the sample publication on PostgreSQL, on two workers."""
    url = postgres.create(template=sampled_postgres)
    folder = tmp_path_factory.mktemp("on-postgres")
    site = Site(folder=folder, settings={"DATABASE_URL": url})
    site.start()
    yield site
    site.close()
    postgres.drop(url)


@pytest.mark.parametrize("kind", PAGES)
def test_on_postgresql_a_page_is_stored_once_and_then_a_hit(
    on_postgres: Site, site: Site, kind: str
) -> None:
    """And says what it says on SQLite."""
    path = PAGES[kind]
    on_postgres.forget()
    first, second = on_postgres.ask(path), on_postgres.ask(path)
    assert first.cache_status == "broadsheet; fwd=uri-miss; stored"
    assert HIT.fullmatch(second.cache_status)
    assert first.page == second.page
    assert first.status == site.ask(path).status


SEARCHES = {
    "a word": ("cache", True),
    "two words": ("small print", True),
    "a phrase": ('"small print"', True),
    "another case": ("CACHE", True),
    "quotes": ('"', False),
    "operators": ("AND OR NOT", False),
    "a column": ("title:cache", False),
    "brackets": ("((cache", True),
    "a minus": ("-cache", False),
    "a star": ("cach*", False),
    "NUL": ("a%00b", False),
    "a quote of SQL": ("'; DROP TABLE post; --", False),
    "marks of tsquery": ("a & | ! <-> :*", False),
    "another alphabet": ("\N{CYRILLIC SMALL LETTER ZHE}", False),
    "markup": ("<script>alert(1)</script>", False),
}


@pytest.mark.parametrize("database", ["site", "on_postgres"])
@pytest.mark.parametrize(("words", "has_results"), SEARCHES.values(), ids=SEARCHES)
def test_whatever_is_searched_for_is_a_page(
    request: pytest.FixtureRequest, database: str, words: str, has_results: bool
) -> None:
    """On both databases; what a reader typed is never a query language, nor markup."""
    searched: Site = request.getfixturevalue(database)
    path = f"/search?q={quote_plus(words, safe='%')}"
    answer = searched.ask(path)
    assert answer.status == 200
    assert_hit(searched.ask(path))
    assert b"<script>alert" not in answer.body
    assert not has_results or b"/articles/" in answer.body


def test_on_postgresql_an_edit_is_seen_at_once(on_postgres: Site) -> None:
    """And an unrelated article stays a HIT."""
    for path in (ARTICLE, OTHER):
        on_postgres.ask(path)
        assert_hit(on_postgres.ask(path))
    edit(on_postgres, "Zanzibar was not mentioned before.")
    edited_page = on_postgres.ask(ARTICLE)
    assert_miss(edited_page)
    assert b"Zanzibar" in edited_page.body
    assert_hit(on_postgres.ask(OTHER))


def test_on_postgresql_a_write_from_outside_is_noticed(on_postgres: Site) -> None:
    """As by psql, within a second or so."""
    on_postgres.ask(OTHER)
    with psycopg.connect(on_postgres.settings["DATABASE_URL"]) as connection:
        connection.execute("UPDATE post SET title = 'Timbuktu' WHERE slug = 'light-is-slow'")
    assert eventually(lambda: b"Timbuktu" in on_postgres.ask(OTHER).body, within=3)


def test_a_database_that_is_gone_costs_nothing_but_misses(on_postgres: Site) -> None:
    """What is stored is served on; what is not is an error nobody stores; all is well afterwards."""
    url = on_postgres.settings["DATABASE_URL"]
    server, _, name = url.rpartition("/")
    right = {path: on_postgres.ask(path).page for path in (ARTICLE, "/", "/feed.xml")}
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # type: ignore[arg-type,unused-ignore] # a name of our own
        terminate_sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(terminate_sql, [name])
        try:
            for path, page in right.items():
                assert_hit(on_postgres.ask(path))
                assert on_postgres.ask(path).page == page
            failed = on_postgres.ask("/articles/never-asked-for")
            assert (failed.status, failed.headers["Cache-Control"]) == (503, "no-store")
            assert failed.headers["Retry-After"] == "10"
            assert on_postgres.ask("/healthz").status == 200
            assert on_postgres.ask("/readyz").status == 503
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')  # type: ignore[arg-type,unused-ignore] # as above
    assert on_postgres.ask("/articles/never-asked-for").status == 404
    edit(on_postgres, "Samarkand was not mentioned before.")
    assert b"Samarkand" in on_postgres.ask(ARTICLE).body
