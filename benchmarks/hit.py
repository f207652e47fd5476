"""What a HIT costs: the gateway beside a bare WSGI app, Varnish and nginx, in one run.

`python benchmarks/hit.py [--seconds 1] [--rounds 11]`. All serve the same page of 20 KB on
loopback, in turn, round after round, so that other load on the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Load = Callable[[int, dict[str, str], int], tuple[int, float]]

ROOT = Path(__file__).resolve().parent.parent
URL = "/articles/what-a-hit-costs"
PAGE = (b"<p>All the news that is fit to be kept.</p>\n" * 500)[:20480]
ETAG = '"what-a-hit-costs"'
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", str(len(PAGE))),
    ("Cache-Control", "public, max-age=86400"),
    ("ETag", ETAG),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
]
CONNECTIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{origin}; proxy_cache pages;
      add_header X-Cache $upstream_cache_status;
    }}
  }}
}}
"""


def bare(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return the page from memory: what gunicorn itself costs."""
    start_response("200 OK", list(HEADERS))
    return (PAGE,)


def gateway() -> WSGIApplication:
    """Return the gateway in front of the bare app, with its store on disk."""
    from app.edge.flask.embedded_gateway import RECHECK  # noqa: PLC0415 - gunicorn sets the path
    from app.edge.gateway.file_collapsing import FileCollapser  # noqa: PLC0415 - as above
    from app.edge.gateway.gateway import Gateway  # noqa: PLC0415 - as above
    from app.edge.gateway.store.lmdb.store import LmdbStore  # noqa: PLC0415 - as above

    folder = Path(os.environ["STORE"])
    return Gateway(bare, store=LmdbStore(folder, recheck=RECHECK), collapser=FileCollapser(folder))


def site() -> WSGIApplication:
    """Return the gateway with all that the site puts in front of it, and its options."""
    from flask import Flask  # noqa: PLC0415 - only this contender has need of it

    from app.edge.flask.embedded_gateway import RECHECK  # noqa: PLC0415 - as above
    from app.edge.gateway.file_collapsing import FileCollapser  # noqa: PLC0415 - as above
    from app.edge.gateway.gateway import Gateway  # noqa: PLC0415 - as above
    from app.edge.gateway.options import Options  # noqa: PLC0415 - as above
    from app.edge.gateway.store.lmdb.store import LmdbStore  # noqa: PLC0415 - as above
    from app.middleware import install  # noqa: PLC0415 - gunicorn sets the path

    folder = Path(os.environ["STORE"])
    front = Flask("site")
    front.config |= {"TRUSTED_HOSTS": ["127.0.0.1"], "PROXIES": 0, "HSTS_INCLUDE_SUBDOMAINS": False}
    front.wsgi_app = Gateway(  # type: ignore[method-assign] # as Flask documents
        bare,
        store=LmdbStore(folder, recheck=RECHECK),
        collapser=FileCollapser(folder),
        options=Options.shield(site="http://127.0.0.1"),
    )
    install(front)
    served: WSGIApplication = front.wsgi_app
    return served


@dataclass(kw_only=True)
class Contender:
    """A server on a port, and what was measured of it."""

    name: str
    port: int
    pid: int
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    #: A response field, and what it matches when the answer came from the cache.
    proof: tuple[str, str] = ("Content-Type", "text/html")
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def check(self) -> None:
        """Ask often enough for each worker to be warm, and see that the answer is the right one."""
        for _ in range(50):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("GET", URL, headers=self.headers)
            response = connection.getresponse()
            body = response.read()
            connection.close()
            expected = PAGE if self.status == http.client.OK else b""
            if (response.status, body) != (self.status, expected):
                sys.exit(f"{self.name} answers {response.status} with {len(body)} bytes.")
        name, pattern = self.proof
        value = response.headers[name] or ""
        if not re.search(pattern, value):
            sys.exit(f"{self.name} does not serve from its cache: {name} is {value!r}.")

    def measure(self, load: Load, seconds: int) -> None:
        """Load the server for a while, and note its rate and its CPU per request."""
        before = cpu(self.pid)
        requests, elapsed = load(self.port, self.headers, seconds)
        self.rates.append(requests / elapsed)
        self.costs.append((cpu(self.pid) - before) / requests * 1e6)


def cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and its children have used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS + sum(cpu(int(child)) for child in children)


def wrk(port: int, headers: dict[str, str], seconds: int) -> tuple[int, float]:
    """Load with wrk; return requests answered and seconds spent."""
    header_options = [
        part for name, value in headers.items() for part in ("-H", f"{name}: {value}")
    ]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *header_options]
    output = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{URL}"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in output and not headers:
        sys.exit(output)
    match = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if match is None:
        sys.exit(output)
    return int(match[1]), float(match[2])


def python(port: int, headers: dict[str, str], seconds: int) -> tuple[int, float]:
    """Load with threads of this process, where wrk is absent; it takes CPU from the servers."""
    counts: list[int] = []
    began = time.monotonic()

    def work() -> None:
        count = 0
        while time.monotonic() - began < seconds:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", URL, headers=headers)
            connection.getresponse().read()
            connection.close()
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.monotonic() - began


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[int]:
    """Run a server until the end; return its process id once it listens."""
    process = subprocess.Popen(
        command,
        cwd=ROOT / "benchmarks",  # there is no gunicorn.conf.py: that one is the site's
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(port, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on the port."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{process.args!r} does not listen on {port}.")


def gunicorn(application: str, port: int) -> list[str]:
    """Return the command for two workers."""
    return [
        *(sys.executable, "-m", "gunicorn", "--workers", "2", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{port}", application),
    ]


def servers(folder: Path, stack: ExitStack) -> Iterator[Contender]:
    """Start all that are installed."""
    origin, edge = free_port(), free_port()
    pid = stack.enter_context(running(gunicorn("hit:bare", origin), origin))
    yield Contender(name="bare WSGI app, gunicorn", port=origin, pid=pid)
    command = gunicorn("hit:gateway()", edge)
    pid = stack.enter_context(running(command, edge, STORE=str(folder / "store")))
    hit = ("Cache-Status", "broadsheet; hit")
    yield Contender(name="gateway, HIT", port=edge, pid=pid, proof=hit)
    request_headers = {"If-None-Match": ETAG}
    yield Contender(
        name="gateway, 304", port=edge, pid=pid, headers=request_headers, status=304, proof=hit
    )
    served = free_port()
    command = gunicorn("hit:site()", served)
    pid = stack.enter_context(running(command, served, STORE=str(folder / "site-store")))
    yield Contender(name="gateway as served, HIT", port=served, pid=pid, proof=hit)
    yield Contender(
        name="gateway as served, 304",
        port=served,
        pid=pid,
        headers=request_headers,
        status=304,
        proof=hit,
    )
    yield from others(folder, stack, origin)


def others(folder: Path, stack: ExitStack, origin: int) -> Iterator[Contender]:
    """Start the caches that are installed, in front of the bare app."""
    for name, program, command, proof in (
        ("Varnish, HIT", "varnishd", varnish, ("X-Varnish", r"\d+ \d+")),
        ("nginx, HIT", "nginx", nginx, ("X-Cache", "HIT")),
    ):
        if executable := shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            port = free_port()
            pid = stack.enter_context(running([executable, *command(folder, port, origin)], port))
            yield Contender(name=name, port=port, pid=pid, proof=proof)
        else:
            print(f"{program} is not installed: left out.")


def varnish(folder: Path, port: int, origin: int) -> list[str]:
    """Return the arguments for Varnish with its built-in rules."""
    return [
        *("-F", "-n", str(folder / "varnish"), "-s", "malloc,64m"),
        *("-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin}"),
    ]


def nginx(folder: Path, port: int, origin: int) -> list[str]:
    """Write a configuration, and return the arguments that name it."""
    place = folder / "nginx"
    place.mkdir()
    place.chmod(0o777)  # its workers are another user when it is started by root
    (place / "conf").write_text(NGINX.format(folder=place, port=port, origin=origin))
    return ["-p", str(place), "-c", str(place / "conf")]


def middle(numbers: list[float]) -> float:
    """Return the median, of an odd count."""
    return sorted(numbers)[len(numbers) // 2]


def share(one: list[float], other: list[float]) -> float:
    """Return the median of the ratios round by round: what disturbs a round disturbs both."""
    return middle([mine / theirs for mine, theirs in zip(one, other, strict=True)])


def report(contenders: list[Contender]) -> None:
    """Print the table, and whether the goals are met."""
    first = contenders[0]
    print(f"\n{'':26}{'requests/s':>12}{'ratio':>8}{'µs CPU':>10}{'ratio':>8}")
    for one in contenders:
        ratios = share(one.rates, first.rates), share(one.costs, first.costs)
        rate, cost = middle(one.rates), middle(one.costs)
        print(f"{one.name:26}{rate:12.0f}{ratios[0]:8.2f}{cost:10.1f}{ratios[1]:8.2f}")
    for label, (whole, unchanged) in {
        "": contenders[1:3],
        " as served, with all that stands before it,": contenders[3:5],
    }.items():
        hit, small = share(whole.rates, first.rates), share(unchanged.rates, whole.rates)
        print(f"\nA HIT{label} has {hit:.2f} of the bare app's rate (goal: 0.85).")
        print(f"A 304{label} has {small:.2f} of the rate of a HIT (goal: 1.00).")


def main() -> None:
    """Measure all contenders, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=1, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each server")
    options = parser.parse_args()
    load = wrk if shutil.which("wrk") else python
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="broadsheet-")))
        folder.chmod(0o755)
        contenders = list(servers(folder, stack))
        for one in contenders:
            one.check()
        for _ in range(options.rounds):
            for one in contenders:
                one.measure(load, options.seconds)
        report(contenders)


if __name__ == "__main__":
    main()
