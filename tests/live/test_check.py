"""The audit against real servers: a good set-up is left in peace, each planted fault is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.audit_profile import site_profile
from app.edge.audit import AuditLimits, AuditOptions, AuditReport, check_site, watch_site
from app.edge.cdn.varnish.vcl_config import PARAMETERS, vcl
from app.edge.flask.site_description import describe_site
from tests.conftest import open_app

from .gunicorn import environment, flask
from .live_site import Site, start_site
from .nginx import proxying
from .programs import ROOT, free_port
from .varnish import varnished

pytestmark = pytest.mark.live

QUICKLY = ("cc_command=exec cc -O0 -pthread -fpic -shared -o %o %s", *PARAMETERS)
"""A VCL that is tried once need not be compiled well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Lines of the shipped VCL that are replaced, and the finding that names the fault."""

    id: str
    edits: tuple[tuple[str, str], ...]
    finding: str


def after(line: str, *more: str) -> tuple[str, str]:
    """Add lines after one."""
    return line, "\n".join((line, *more))


FETCHED, LEAVING = "sub vcl_backend_response {", "sub vcl_deliver {"
KEEPS = "{ set beresp.ttl = 120s; return (deliver); }"
FAULTS = (
    Fault(
        id="cookies stored",
        edits=(after(FETCHED, f"if (beresp.http.Set-Cookie) {KEEPS}"),),
        finding="cookie-stored",
    ),
    Fault(
        id="query string ignored",
        edits=(
            after("    call broadsheet_route;", r'set req.url = regsub(req.url, "\?.*$", "");'),
        ),
        finding="query-ignored",
    ),
    Fault(
        id="HTML not cached",
        edits=(
            after(
                FETCHED,
                'if (beresp.http.Content-Type ~ "html") '
                "{ set beresp.uncacheable = true; return (deliver); }",
            ),
        ),
        finding="not-kept",
    ),
    Fault(
        id="no-store ignored",
        edits=(
            ('req.http.Broadsheet-Route == "private" ||', "false ||"),
            after(FETCHED, f'if (beresp.http.Cache-Control ~ "no-store") {KEEPS}'),
        ),
        finding="no-store-stored",
    ),
    Fault(
        id="purge open to all",
        edits=(('return (synth(403, "The secret is wrong"));', ""),),
        finding="purge-open",
    ),
    Fault(
        id="Vary dropped",
        edits=(after(LEAVING, "unset resp.http.Vary;"),),
        finding="vary-missing",
    ),
    Fault(
        id="stale header on",
        edits=(
            after(
                LEAVING,
                "set resp.http.Cache-Control = "
                'resp.http.Cache-Control + ", stale-while-revalidate=86400";',
            ),
        ),
        finding="browser-stale",
    ),
    Fault(
        id="gzip broken",
        edits=(
            after(
                LEAVING,
                'if (resp.http.Content-Encoding == "br") '
                '{ set resp.http.Content-Encoding = "gzip"; }',
            ),
        ),
        finding="coding-broken",
    ),
    Fault(
        id="404 cached for a day",
        edits=(
            after(FETCHED, "if (beresp.status == 404) { set beresp.ttl = 1d; return (deliver); }"),
        ),
        finding="missing-kept-long",
    ),
    Fault(
        id="Host not checked",
        edits=(('return (synth(421, "Misdirected Request"));', ""),),
        finding="host-unchecked",
    ),
)


SECRET = "only-for-these-tests"


@pytest.fixture(scope="module")
def edge_port() -> int:
    """Where the site finds its Varnish."""
    return free_port()


@pytest.fixture(scope="module")
def gated(
    tmp_path_factory: pytest.TempPathFactory, sampled: Path, edge_port: int
) -> Iterator[Site]:
    """The site with its gateway, as it stands alone or behind Varnish."""
    own = {
        "FLASK_EDGE": "varnish",
        "FLASK_EDGE_VARNISH_NODES": f"http://127.0.0.1:{edge_port}",
        "FLASK_EDGE_VARNISH_SECRET": SECRET,
        "FLASK_TRUSTED_HOSTS": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
    }
    folder = tmp_path_factory.mktemp("gated")
    database = folder / "sampled.db"
    shutil.copy(sampled, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        # The gateway of whoever loaded the samples is gone; nothing in front waits for it here.
        connection.execute("DELETE FROM edge_tier")
    with start_site(database, folder, **own) as started:
        yield started


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The site with nothing in front."""
    own = {"FLASK_EDGE_GATEWAY": "off", "WEB_CONCURRENCY": "1"}
    with start_site(sampled, tmp_path_factory.mktemp("bare"), **own) as started:
        yield started


@pytest.fixture(scope="module")
def shipped(gated: Site, edge_port: int) -> str:
    """The VCL that `flask edge config varnish` prints for the site."""
    own = {"EDGE_VARNISH_NODES": f"http://127.0.0.1:{edge_port}", "EDGE_VARNISH_SECRET": SECRET}
    for app in open_app(gated.folder, EDGE="varnish", EDGE_GATEWAY=True, SITE_URL=gated.url, **own):
        site = f"http://127.0.0.1:{edge_port}"
        vcl_text = vcl(
            describe_site(
                app, origins=[gated.url], site=site, secret=SECRET, purge_networks=["127.0.0.1"]
            )
        )
    return vcl_text


@pytest.fixture(scope="module")
def behind_varnish(
    shipped: str, edge_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the site as readers find it: a Varnish with the shipped VCL."""
    folder = tmp_path_factory.mktemp("edge")
    with varnished(folder, shipped, parameters=QUICKLY, port=edge_port) as started:
        yield started.url


Start = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def in_front(behind_varnish: str, shipped: str, edge_port: int, tmp_path: Path) -> Start:
    """Start another Varnish in front of the site, with lines of its VCL edited."""

    @contextmanager
    def start(*edits: tuple[str, str]) -> Iterator[str]:
        port = free_port()
        text = shipped.replace(f":{edge_port}", f":{port}")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        with varnished(tmp_path, text, parameters=QUICKLY, port=port) as started:
            yield started.url

    return start


def audited(url: str, site: Site) -> AuditReport:
    """What is found on a site at this address."""
    return check_site(
        url, AuditOptions(profile=site_profile(site.url), limits=AuditLimits(pause=0))
    )


def failing(report: AuditReport) -> dict[str, tuple[str, ...]]:
    """What makes the command fail, and what it was seen by."""
    return {finding.id: finding.evidence for finding in report.findings if finding.level.is_failure}


def test_the_shipped_vcl_is_left_in_peace(behind_varnish: str, gated: Site) -> None:
    """Every page is a HIT at Varnish, and nothing is wrong."""
    report = audited(behind_varnish, gated)
    assert failing(report) == {}
    assert [visit.page.kind for visit in report.visits if not visit.last.is_hit] == []
    assert report.caches == ("broadsheet", "varnish")


def test_the_printed_nginx_is_left_in_peace(sampled: Path, tmp_path: Path) -> None:
    """Every page is a HIT at nginx, immutable files and each spelling of Accept-Encoding too."""
    port = free_port()
    own = {"FLASK_EDGE": "nginx", "SITE_URL": f"http://127.0.0.1:{port}"}
    with start_site(sampled, tmp_path / "site", **own) as site:
        words = ("--listen", f"127.0.0.1:{port}", "--cache", str(tmp_path / "kept"))
        printed = flask(
            *("edge", "config", "nginx", "--origin", site.url, *words),
            instance=site.folder,
            settings=site.settings,
        )
        assert printed.returncode == 0, printed.stderr
        with proxying(tmp_path, printed.stdout, port=port) as front:
            report = check_site(
                front.url,
                AuditOptions(profile=site_profile(front.url), limits=AuditLimits(pause=0)),
            )
    assert failing(report) == {}
    assert [visit.page.kind for visit in report.visits if not visit.last.is_hit] == []
    assert {"broadsheet", "nginx"} <= set(report.caches)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_planted_fault_is_named(in_front: Start, gated: Site, fault: Fault) -> None:
    """And whoever planted it reads what was seen."""
    gated.forget()  # the gateway keeps pages without their cookie, and Varnish would see none
    with in_front(*fault.edits) as url:
        report = audited(url, gated)
    assert fault.finding in failing(report)
    assert failing(report)[fault.finding]


def test_the_gateway_alone_is_left_in_peace(gated: Site) -> None:
    """Every kind of page is found, and is a HIT."""
    report = audited(gated.url, gated)
    assert failing(report) == {}
    assert {visit.page.kind: visit.last.is_hit for visit in report.visits} == dict.fromkeys(
        ("home", "sitemap", "feed", "article", "topic", "static", "media"), True
    )


def test_the_command_times_a_purge_from_commit_to_fresh(behind_varnish: str, gated: Site) -> None:
    """Committed by the command, delivered by the site's own relay, seen through Varnish."""
    settings = {**gated.settings, "FLASK_PORT": str(gated.port)}
    process = flask(
        *("edge", "check", behind_varnish, "--purge", "--json"),
        instance=gated.folder,
        settings=settings,
    )
    report = json.loads(process.stdout)
    assert [one for one in report["findings"] if one["level"] != "note"] == []
    assert (process.returncode, report["caches"]) == (0, ["broadsheet", "varnish"])
    assert 0 < report["commit_to_fresh"] < 5


def test_a_bare_site_has_no_cache(bare: Site) -> None:
    """And the library says so without an app."""
    process = subprocess.run(
        [sys.executable, "-m", "app.edge.audit", bare.url],
        cwd=ROOT,
        env=environment(bare.folder, {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    assert "WARNING no-cache: " in process.stdout
    assert "host-unchecked" in process.stdout


def test_a_watch_tells_the_hit_ratio(gated: Site) -> None:
    """It samples what it found at first, until its time is over."""
    lines: list[str] = []
    report = watch_site(
        gated.url,
        AuditOptions(profile=site_profile(gated.url), limits=AuditLimits(pause=0)),
        write_line=lines.append,
        duration=0.1,
    )
    assert lines[0].startswith("Watching 7 pages of ")
    assert lines[1].endswith("hits 7 of 7, 100 % so far  nothing found")
    assert report.status == 0
