"""How long readers behind a Varnish see an old page after it was published anew.

`python benchmarks/fresh.py [--rounds 200]`. The app with its gateway and its relay in one process,
a real Varnish with the VCL that `flask edge config varnish` prints in front, all on loopback. An
article is revised, and its page asked for again and again, until it is new.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import sqlalchemy as sa
from flask import Flask
from support import apps, content
from support.content import Volume

from app.edge.cdn.varnish import vcl_config
from app.edge.flask.site_description import describe_site
from app.extensions import db
from app.publishing.models import Post

GOAL = 0.25
PATIENCE = 10.0
BETWEEN = 0.003
"""Seconds between two looks: who asks without pause holds up the relay in this process."""

WARM = 5


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def fronted(app: Flask, place: Path, port: int, secret: str) -> Iterator[None]:
    """Serve the app, with a Varnish before it on this port."""
    program = shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        sys.exit("This needs Varnish with varnish-modules (Debian: varnish, varnish-modules).")
    server = _Server(("127.0.0.1", 0), _Handler)
    server.set_app(app)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    (place / "front.vcl").write_text(
        vcl_config.vcl(describe_site(app, origins=[origin], secret=secret))
    )
    command = [program, "-F", "-n", str(place / "varnish"), "-a", f"127.0.0.1:{port}"]
    command += ["-f", str(place / "front.vcl"), "-s", "malloc,64m", "-j", "none"]
    command += [word for parameter in vcl_config.PARAMETERS for word in ("-p", parameter)]
    with (
        (place / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as run,
    ):
        try:
            yield
        finally:
            run.send_signal(signal.SIGINT)
            server.shutdown()
            server.server_close()


def shows(port: int, path: str) -> str:
    """The title of a page as a reader gets it; empty while nobody answers."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        link.request("GET", path)
        page = link.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        link.close()
    return page.partition("<title>")[2].partition("</title>")[0]


def until(port: int, path: str, title: str) -> None:
    """Ask until the page has this title."""
    began = time.monotonic()
    while title not in shows(port, path):
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"{path} did not become new within {PATIENCE:g} s.")
        time.sleep(BETWEEN)


def revise(app: Flask, number: int, title: str) -> None:
    """Publish an article under a new title."""
    with app.app_context():
        statement = sa.update(Post).where(Post.slug == content.slug(number)).values(title=title)
        db.session.execute(statement)
        db.session.commit()
        db.session.remove()


def measure(app: Flask, port: int, rounds: int) -> list[float]:
    """The seconds from the call to the first new page, for each round."""
    path, durations = f"/articles/{content.slug(1)}", []
    revise(app, 1, "Title 0.")
    until(port, path, "Title 0.")
    titles = [f"Title {number}." for number in range(rounds + WARM + 1)]
    for old, new in pairwise(titles):
        until(port, path, old)
        began = time.perf_counter()
        revise(app, 1, new)
        until(port, path, new)
        durations.append(time.perf_counter() - began)
    return sorted(durations[WARM:])


def main() -> None:
    """Measure, and say whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--posts", type=int, default=200)
    options = parser.parse_args()
    port, secret = free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    with apps.folder() as place:
        apps.filled(place, Volume(posts=options.posts))
        settings = {"EDGE_VARNISH_NODES": url, "EDGE_VARNISH_SECRET": secret}
        app = apps.real(place, SITE_URL=url, EDGE="varnish", EDGE_RELAY=True, **settings)
        with fronted(app, place, port, secret):
            durations = measure(app, port, options.rounds)
        apps.close(app)
    print("From publishing to a fresh page behind Varnish:")
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        print(f"  {name} {1000 * durations[int(share * (len(durations) - 1))]:6.1f} ms")
    late = durations[int(0.99 * (len(durations) - 1))]
    print(f"The goal is {1000 * GOAL:g} ms at p99: {'met' if late < GOAL else 'missed'}.")


if __name__ == "__main__":
    main()
