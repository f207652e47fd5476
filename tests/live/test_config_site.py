"""What the commands print for the site itself, in front of it: every public page is kept, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.edge.cdn.varnish import vcl_config

from . import raw_http
from .gunicorn import flask
from .live_site import Site, eventually, start_site
from .nginx import proxying
from .programs import free_port
from .raw_http import Answer
from .varnish import varnished

pytestmark = pytest.mark.live

HOST = "site.example"
SETTINGS = {"SITE_URL": f"https://{HOST}", "FLASK_EDGE": "nginx,varnish", "FLASK_PROXIES": "1"}
PUBLIC = (
    "/", "/about", "/archive", "/authors", "/topics", "/articles/small-print", "/feed.xml",
    "/feed.json", "/sitemap.xml", "/robots.txt", "/api/posts", "/api/summary", "/search?q=print",
    "/downloads/posts.csv", "/favicon.ico", "/no-such-page", "/no/such/page", "/About",
)  # fmt: skip
OWN = ("/edge/no-store", "/healthz")


@pytest.fixture(scope="module")
def house(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The site with the samples, behind each of the two that we can run; their ports."""
    with ExitStack() as stack:
        site = stack.enter_context(start_site(sampled, tmp_path_factory.mktemp("site"), **SETTINGS))
        import_old_post(site, tmp_path_factory.mktemp("old"))
        folder, port = tmp_path_factory.mktemp("nginx"), free_port()
        words = ("--listen", f"127.0.0.1:{port}", "--cache", str(folder / "kept"))
        stack.enter_context(proxying(folder, printed(site, "nginx", *words), port=port))
        vcl = printed(site, "varnish")
        folder = tmp_path_factory.mktemp("varnish")
        started = varnished(folder, vcl, parameters=vcl_config.PARAMETERS)
        yield {"nginx": port, "varnish": stack.enter_context(started).port, "site": site.port}


def import_old_post(site: Site, folder: Path) -> None:
    """Import a post whose old address differs from the front page by its query."""
    text = "---\ntitle: Old\ndate: 2020-01-01\naliases: ['/?p=20']\n---\nx\n"
    (folder / "old.md").write_text(text)
    process = flask("content", "import", str(folder), instance=site.folder, settings=SETTINGS)
    assert process.returncode == 0, process.stderr


def printed(site: Site, edge: str, *words: str) -> str:
    """What `flask edge config` prints for the site."""
    command = ("edge", "config", edge, "--origin", site.url, *words)
    process = flask(*command, instance=site.folder, settings=SETTINGS)
    assert process.returncode == 0, process.stderr
    return process.stdout


def ask(port: int, target: str, *lines: str) -> Answer:
    """Ask for a page of the site."""
    return raw_http.exchange(port, raw_http.request(target, *lines, host=HOST))


def hit(answer: Answer, edge: str) -> bool:
    """Whether this edge had it."""
    return f"{edge}; hit" in answer.cache_status


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
@pytest.mark.parametrize("page", PUBLIC)
def test_every_public_page_is_kept_as_it_is(house: dict[str, int], edge: str, page: str) -> None:
    """The second reader, with cookies and a tracker, gets from the edge what the site says."""
    port = house[edge]
    first = ask(port, page)
    tracked = page + ("&" if "?" in page else "?") + "utm_source=mail"
    is_page = page not in {"/no/such/page", "/About"}
    second = ask(port, tracked, "Cookie: _ga=1; session=2") if is_page else ask(port, page)
    straight = ask(house["site"], page)
    assert hit(second, edge)
    for answer in (first, second):
        assert (answer.status, answer.body) == (straight.status, straight.body)
        assert answer.headers.get("ETag") == straight.headers.get("ETag")
        internal = {"surrogate-control", "x-accel-expires", "xkey", "broadsheet-cache-control"}
        ours = {"surrogate-control", "xkey"} if edge == "varnish" else {"x-accel-expires"}
        assert not internal & ours & {name.lower() for name, _ in answer.headers}


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
@pytest.mark.parametrize("page", OWN)
def test_what_nobody_may_keep_is_not_kept(house: dict[str, int], edge: str, page: str) -> None:
    """However often it is asked for."""
    for _ in range(3):
        assert not hit(ask(house[edge], page), edge)


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_page_is_packed_once_for_each_coding(
    house: dict[str, int], edge: str, coding: str
) -> None:
    """By the site, with a tag of its own; who can't unpack it gets the plain one."""
    line = f"Accept-Encoding: {coding}"
    ask(house[edge], "/about", line)
    packed, plain = ask(house[edge], "/about", line), ask(house[edge], "/about")
    assert hit(packed, edge)
    assert packed.headers["Content-Encoding"] == coding
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
def test_what_lives_for_a_time_is_no_younger_at_the_edge(house: dict[str, int], edge: str) -> None:
    """Varnish counts the age it came with; nginx can't, so it does not keep such a page."""
    page = "/edge/two-minutes"
    assert eventually(lambda: int(ask(house["site"], page).headers.get("Age", "0")) >= 1)
    answers = [ask(house[edge], page) for _ in range(2)]
    if edge == "nginx":
        assert not any(hit(answer, edge) for answer in answers)
    else:
        assert hit(answers[1], edge)
        assert int(answers[1].headers["Age"]) >= 1


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
@pytest.mark.parametrize("target", ["/?p=20", "/index.php?p=20", "/?utm_source=x&p=20"])
def test_an_old_address_with_a_query_redirects_through_the_edge(
    house: dict[str, int], edge: str, target: str
) -> None:
    """The edge stores the redirect beside the front page, in whichever order they are requested."""
    front = [ask(house[edge], path) for path in ("/", target, "/?utm_source=x", target)]
    assert [answer.status for answer in front] == [200, 301, 200, 301]
    assert front[3].headers["Location"].endswith("/articles/old")
    assert hit(front[3], edge)
    assert front[0].body == front[2].body


@pytest.mark.parametrize("edge", ["nginx", "varnish"])
def test_a_query_that_leads_nowhere_is_not_stored(house: dict[str, int], edge: str) -> None:
    """Each of them costs the edge no room, and the front page stays where it was."""
    for number in range(100, 110):
        answer = ask(house[edge], f"/?p={number}")
        assert (answer.status, hit(answer, edge)) == (301, False)
        assert "stored" not in answer.cache_status
    ask(house[edge], "/")
    assert hit(ask(house[edge], "/"), edge)
