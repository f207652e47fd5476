"""How many good requests are answered within a second while slow senders hold connections.

`python benchmarks/slow.py [--senders 200] [--seconds 10] [--server shipped]`. The site runs on
loopback as it is shipped, with nothing in front; `--server gthread` takes gunicorn's own worker
instead, `--server granian` takes granian, where that is installed. Each sender sends a byte a
second and connects again when it is closed.
"""

from __future__ import annotations

import argparse
import http.client
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.99
PATIENCE = 1.0
PAUSE = 0.02
POST = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n"
KINDS = {
    "no senders": "",
    "heads": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "small bodies": POST.format("/", 100),
    "large bodies": POST.format("/", 1_000_000) + 60_000 * "a",
    "bodies of a refused POST": POST.format("/nowhere", 5_000),
}
SERVERS = {
    "shipped": ["gunicorn", "wsgi:app"],
    "gthread": ["gunicorn", "-k", "gthread", "wsgi:app"],
    "granian": ["granian", "--interface", "wsgi", "--workers", "2", "--no-ws", "wsgi:app"],
}


@contextmanager
def serving(server: str) -> Iterator[int]:
    """Serve an empty site; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="broadsheet-")
    own = {"FLASK_SKIP_DOTENV": "1", "FLASK_APP": "wsgi.py", "FLASK_INSTANCE": folder}
    own |= {"FLASK_PORT": str(port), "SECRET_KEY": "benchmark", "GRANIAN_PORT": str(port)}
    environment = {**os.environ, **own}
    process_options = {"cwd": ROOT, "env": environment, "stderr": subprocess.DEVNULL}
    migrate = [sys.executable, "-m", "flask", "db", "upgrade"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL, **process_options)  # type: ignore[call-overload]
    command = [sys.executable, "-m", *SERVERS[server]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **process_options)  # type: ignore[call-overload]
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if is_answering(port):
            return
        time.sleep(0.1)
    sys.exit(f"{process.args!r} does not answer on port {port}.")


def is_answering(port: int) -> bool:
    """Tell whether a request for the front page gets its 200 within a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    began = time.monotonic()
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == http.client.OK and time.monotonic() - began <= PATIENCE


class Senders:
    """Connections that each send one byte a second."""

    def __init__(self, port: int, start: str, count: int) -> None:
        self._near = ("127.0.0.1", port)
        self._start = start.encode()
        self._links: list[socket.socket | None] = [None] * count
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._drip)

    def __enter__(self) -> None:
        self._send_all()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for link in filter(None, self._links):
            link.close()

    def _drip(self) -> None:
        while not self._over.wait(1):
            self._send_all()

    def _send_all(self) -> None:
        for place, link in enumerate(self._links):
            try:
                self._links[place] = self._send_byte(link)
            except OSError:
                if link is not None:
                    link.close()
                self._links[place] = None

    def _send_byte(self, link: socket.socket | None) -> socket.socket | None:
        if link is None:
            link = socket.create_connection(self._near, timeout=PATIENCE)
            with suppress(OSError):
                link.sendall(self._start)
        link.send(b"a")
        if not readable(link):
            return link
        link.close()
        return None


def readable(link: socket.socket) -> bool:
    """Tell whether the server has answered or closed the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        return bool(selector.select(0))


def measure(port: int, seconds: float) -> tuple[int, int]:
    """Return how many requests were answered in time, and how many there were."""
    good = total = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        good += is_answering(port)
        total += 1
        time.sleep(PAUSE)
    return good, total


def main() -> None:
    """Measure each kind of sender in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--senders", type=int, default=200, help="connections of each kind")
    parser.add_argument("--seconds", type=float, default=10, help="for each kind")
    parser.add_argument("--server", choices=SERVERS, default="shipped")
    options = parser.parse_args()
    shares = []
    with serving(options.server) as port:
        for kind, start in KINDS.items():
            with Senders(port, start, options.senders if start else 0):
                good, total = measure(port, options.seconds)
            shares.append(good / total)
            print(f"{kind:26}{good:6} of {total:6} answered within {PATIENCE:g} s")
    print(f"\nThe worst kind leaves {min(shares):.3f} of the good requests (goal: {GOAL}).")


if __name__ == "__main__":
    main()
