from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.edge.flask.routes import routes
from app.middleware.security_headers import ALWAYS
from tests.live.gunicorn import environment
from tests.live.programs import ROOT

from .conftest import UNKNOWN, addresses

CLOCKS = {"/edge/cookie", "/edge/two-minutes"}
"""Pages that tell the time, so that a reader can watch the cache."""

ETAGS = """
import json, sys
from app import create_app
from tests.contracts.conftest import addresses
app = create_app()
client = app.test_client()
answers = {one.path: client.get(one.path) for one in addresses(app)}
json.dump({path: [a.get_etag()[0], a.data.decode("latin-1")] for path, a in answers.items()
           if "no-store" not in a.headers["Cache-Control"]}, sys.stdout)
"""


Walk = dict[str, TestResponse]


def responses_by_rule(app: Flask, **headers: str) -> Walk:
    """The answer of every address, also where nothing is, to GET, HEAD and POST."""
    client = app.test_client(use_cookies=False)
    paths = [*(address.path for address in addresses(app)), *UNKNOWN, "/old", "/healthz", "/readyz"]
    answers: Walk = {}
    for path in paths:
        answers[f"GET {path}"] = client.get(path, headers=headers)
        answers[f"HEAD {path}"] = client.head(path, headers=headers)
        answers[f"POST {path}"] = client.post(path, headers=headers)
    return answers


@pytest.fixture(scope="module")
def walk(walked: Flask) -> Walk:
    """The answers to a reader without headers of his own; several tests judge them."""
    return responses_by_rule(walked)


@pytest.fixture(scope="module")
def walk_with_cookies(walked: Flask) -> Walk:
    """The answers to a reader whose cookies, language, agent, referrer and host differ."""
    return responses_by_rule(
        walked,
        **{"Cookie": "session=x; a=b", "Accept-Language": "fr", "User-Agent": "a phone"},
        Referer="http://a.example/",
        Host="other.example",
    )


def test_every_route_has_a_named_policy(app: Flask) -> None:
    """A route that says nothing would be no-store without anybody having meant it."""
    assert [route.rule for route in routes(app) if route.source == "none"] == []


def test_every_page_is_there(walked: Flask, walk: Walk) -> None:
    """The walks below look at pages, not at error pages; one route only redirects."""
    statuses = {one.rule: walk[f"GET {one.path}"].status_code for one in addresses(walked)}
    others = {rule: status for rule, status in statuses.items() if status != 200}
    assert others == {"/index.php": 301}


def test_every_answer_says_how_it_may_be_stored(walk: Walk) -> None:
    """Edges have defaults of their own for what says nothing, errors and redirects among them."""
    silent = [what for what, answer in walk.items() if "Cache-Control" not in answer.headers]
    assert silent == []


def test_what_must_not_be_shared_says_so(walk: Walk) -> None:
    """An answer to another method, and one that failed, is stored nowhere."""
    for what, answer in walk.items():
        if what.startswith("POST") or answer.status_code >= 500:
            assert answer.cache_control.no_store, what


def test_no_public_answer_sets_a_cookie_or_varies_on_one(
    walk: Walk, walk_with_cookies: Walk
) -> None:
    """Not even for a reader who sends some."""
    for answers in (walk, walk_with_cookies):
        for what, answer in answers.items():
            if "Set-Cookie" in answer.headers:  # the page that shows what an edge does with one
                assert what.partition(" ")[2] == "/edge/cookie"
                assert 'private="Set-Cookie"' in answer.headers["Cache-Control"]
            assert "cookie" not in answer.headers.get("Vary", "").lower(), what
            assert answer.headers.get("Vary") != "*", what


def test_every_reader_gets_the_same(walk: Walk, walk_with_cookies: Walk) -> None:
    """Cookies, languages, agents and referrers change nothing of what is shared."""
    other = walk_with_cookies
    for what, answer in walk.items():
        if not answer.cache_control.no_store and what.partition(" ")[2] not in CLOCKS:
            assert (answer.status_code, answer.data) == (other[what].status_code, other[what].data)
            assert answer.headers.get("Location") == other[what].headers.get("Location")


def test_every_answer_has_the_security_headers(walk: Walk) -> None:
    """Pages, errors, redirects and static files."""
    for what, answer in walk.items():
        expected = dict(ALWAYS)
        if "/media/files/" in what:  # the policy of a linked file is stricter, not the site's
            assert (
                "sandbox" in answer.headers["Content-Security-Policy"] or answer.status_code > 400
            )
            del expected["Content-Security-Policy"]
        assert dict(answer.headers).items() >= expected.items(), what


def test_an_unchanged_page_is_a_304(walked: Flask, walk: Walk) -> None:
    """What a browser may keep, it can ask for again at the price of a few bytes."""
    client = walked.test_client()
    for address in addresses(walked):
        first = walk[f"GET {address.path}"]
        if first.cache_control.no_store or first.status_code != 200 or address.path in CLOCKS:
            continue
        etag, weak = first.get_etag()
        assert etag, address.path
        assert not weak, address.path
        second = client.get(address.path, headers={"If-None-Match": f'"{etag}"'})
        assert (second.status_code, second.data) == (304, b""), address.path
        assert second.get_etag() == (etag, False)


@pytest.mark.slow
def test_every_process_gives_the_same_bytes_and_validators(
    filled_file: Path, tmp_path: Path
) -> None:
    """Another process, restarted, on another machine: hashes of strings differ there."""
    outputs = []
    for seed in ("1", "2"):
        instance = tmp_path / f"machine-{seed}"
        instance.mkdir()
        shutil.copy(filled_file, instance)
        printed = subprocess.run(
            [sys.executable, "-c", ETAGS],
            cwd=ROOT,
            env=environment(instance, {"PYTHONHASHSEED": seed, "FLASK_EDGE_GATEWAY": "off"}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        outputs.append(json.loads(printed.stdout))
    assert len(outputs[0]) > 20
    first, second = ({path: one[path] for path in one.keys() - CLOCKS} for one in outputs)
    assert first == second
