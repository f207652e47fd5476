"""Every name that the library gives away is derived from one constant, which a copy changes."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app.edge
from app.edge import name
from app.edge.audit.checks.host_header import GATEWAY
from app.edge.audit.prober import USER_AGENT
from app.edge.cdn import nginx
from app.edge.cdn.cloudflare.cache_rules import REF_PREFIX
from app.edge.cdn.site_description import SECRET_FILE
from app.edge.flask import response, sampling
from app.edge.gateway import capped_headers, loops, options, stored_response
from app.edge.gateway.finding_key import FINDING_KEY
from app.edge.gateway.store.lmdb.folder import StoreIdentity
from app.edge.http.connection import PROTECTED
from app.edge.policy.cdn_headers import DIALECTS

from .library_copy import copy_library

ROOM = Path(app.edge.__file__).parent
DERIVED = {
    "Cache-Status": (options.Options().name, "broadsheet"),
    "Via and CDN-Loop": (loops.PSEUDONYM, "broadsheet"),
    "the token in CDN-Loop": (loops.new_token()[:11], "broadsheet-"),
    "the targeted field": (options.Options().targeted_fields[0], "broadsheet-cache-control"),
    "the dialect": (DIALECTS["broadsheet"].fields, ("Broadsheet-Cache-Control",)),
    "the capped lines": (capped_headers.FIELD, "Broadsheet-In-Doubt"),
    "environ: policy": (response.POLICY_KEY, "broadsheet.policy"),
    "environ: purged": (response.PURGED_KEY, "broadsheet.purged"),
    "environ: cookies": (response.COOKIES_KEY, "broadsheet.cookies"),
    "environ: finding": (FINDING_KEY, "broadsheet.finding"),
    "a stored response": (stored_response._MAGIC, b"broadsheet stored 4\n"),
    "a store": (str(StoreIdentity(incarnation=1, limit=1, boot="b"))[:17], "broadsheet-store "),
    "nginx: the folder": (nginx.CACHE_FOLDER, "/var/cache/nginx/broadsheet"),
    "nginx: a refresh": (nginx.REFRESH_HEADER, "X-Broadsheet-Refresh"),
    "Varnish: the secret": (SECRET_FILE, "/etc/varnish/broadsheet.secret"),
    "Cloudflare: the rules": (REF_PREFIX, "broadsheet_"),
    "the audit: the gateway": (GATEWAY, "broadsheet"),
    "the audit: the User-Agent": (USER_AGENT.partition("/")[0], "Broadsheet-Check"),
    "the sampler": (sampling._AGENT["User-Agent"].partition(" ")[0], "Broadsheet-Sampler"),
}
EXAMPLE = '''
"""An app with a copy of the library, and everything that it sends and generates."""

import json
import sys
from datetime import timedelta

from flask import Flask, request

from news import Freshness, Policy, cached
from news.flask import Edge
from news.gateway import proxy

PAGE = Policy(name="PAGE", browser=Freshness(), edge=Freshness(ttl=timedelta(hours=1)))
app = Flask(__name__)
app.config.update(
    EDGE="cloudflare,varnish",
    EDGE_STORE=sys.argv[1],
    EDGE_VARNISH_NODES="http://127.0.0.1:1",
    EDGE_VARNISH_SECRET="0123456789abcdef",
    EDGE_PURGE_SECRET="0123456789abcdef",
)
edge = Edge()
environ_keys = set()
inner_headers = []


@app.get("/search")
@cached(PAGE, query=("q", "page"))
def search():
    environ_keys.update(key for key in request.environ if "." in key)
    return request.args.get("q", "nothing")


@app.get("/me")
def me():
    return "private"


@app.get("/text")
@cached(PAGE)
def text():
    return "text"


def recorded(wsgi):
    def call(environ, start_response):
        def start(status, headers, *rest):
            inner_headers.extend(headers)
            return start_response(status, headers, *rest)

        return wsgi(environ, start)

    return call


app.wsgi_app = recorded(app.wsgi_app)
edge.init_app(app)
client = app.test_client()
sent = []
for path in ("/search?q=a", "/search?q=a", "/me", "/missing"):
    sent.extend(client.get(path).headers)
commands = (
    "varnish", "varnish --with-secret", "nginx", "nginx --refresh --stale", "cloudflare",
    "cloudflare --terraform", "fastly", "cloudfront", "bunny",
)
generated = {}
for command in commands:
    options = ["--site", "https://example.org"]
    result = app.test_cli_runner().invoke(args=["edge", "config", *command.split(), *options])
    assert result.exit_code == 0, (command, result.output)
    generated[command] = result.output
json.dump(
    {
        "sent": sent,
        "inner": inner_headers,
        "environ": sorted(environ_keys),
        "generated": generated,
        "via": proxy._VIA,
    },
    sys.stdout,
)
'''


@pytest.mark.parametrize(("value", "expected"), DERIVED.values(), ids=DERIVED)
def test_the_values_are_those_of_this_site(value: object, expected: object) -> None:
    """A stored page, a purge secret or a rule at a vendor is found under the name it had before."""
    assert value == expected


@pytest.mark.parametrize("fields", [options.INTERNAL, PROTECTED])
def test_the_field_of_the_gateway_is_internal(fields: frozenset[str]) -> None:
    """No reader receives it, and no `Connection` removes it."""
    assert "broadsheet-cache-control" in fields


def constants(tree: ast.AST) -> Iterator[str]:
    """Yield the texts in code, without docstrings."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


def test_no_other_file_contains_the_name() -> None:
    """Code and templates derive it; only documentation may contain it."""
    texts = {
        path: "\n".join(constants(ast.parse(path.read_text(encoding="utf-8"))))
        for path in ROOM.rglob("*.py")
        if path.name != "name.py"
    }
    templates = [*ROOM.rglob("*.vcl"), *ROOM.rglob("*.conf")]
    assert len(templates) == 2
    texts |= {path: path.read_text(encoding="utf-8") for path in templates}
    assert [path for path, text in texts.items() if name.NAME in text.lower()] == []


@pytest.fixture
def copied_library(tmp_path: Path) -> Path:
    """Return a folder with a copy of the library, as `news`, whose name is `news-site`."""
    copy_library(tmp_path, "news")
    rename(tmp_path, "news-site")
    return tmp_path


def rename(folder: Path, new_name: str) -> None:
    """Change the constant in the copy."""
    file = folder / "news" / "name.py"
    text, count = re.subn(
        '^NAME: Final = "[^"]*"',
        f'NAME: Final = "{new_name}"',
        file.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert count == 1
    file.write_text(text, encoding="utf-8")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder of the copy."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_has_a_name_of_its_own(copied_library: Path) -> None:
    """Headers, environ keys and every generated configuration contain the copy's name alone."""
    (copied_library / "example.py").write_text(EXAMPLE, encoding="utf-8")
    result = run(copied_library, "example.py", str(copied_library / "store"))
    assert result.returncode == 0, result.stderr
    assert "broadsheet" not in result.stdout.lower()
    output = json.loads(result.stdout)
    assert ["Cache-Status", "news-site; hit"] in [
        [field, value[:14]] for field, value in output["sent"]
    ]
    assert "News-Site-Cache-Control" in {field for field, _ in output["inner"]}
    assert not {field for field, _ in output["sent"] if field.startswith("News-Site")}
    assert output["via"] == "1.1 news-site"
    configs = output["generated"]
    assert "call news_site_route;" in configs["varnish"]
    assert "req.http.News-Site-Path" in configs["varnish"]
    assert "proxy_cache news_site;" in configs["nginx"]
    assert "$http_x_news_site_refresh $news_site_refresh" in configs["nginx --refresh --stale"]
    assert '"cloudflare_ruleset" "news_site"' in configs["cloudflare --terraform"]
    assert all("news" in text.lower() for text in configs.values())


@pytest.mark.parametrize("wrong", ["News", "news_site", "9news", "news site", "", "news-"])
def test_a_name_that_no_header_could_have_is_refused(copied_library: Path, wrong: str) -> None:
    """The error names the file, the value and what to write."""
    rename(copied_library, wrong)
    result = run(copied_library, "-c", "import news.name")
    assert f"is {wrong!r}: write lower-case letters and digits" in result.stderr
