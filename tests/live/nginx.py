"""An nginx of the tests' own: `nginx(server)` starts one in front of any origin."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .programs import Running, free_port, needs, running

StartNginx = Callable[..., Running]

MAIN = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr info;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def proxying(folder: Path, text: str, *, port: int) -> Iterator[Running]:
    """Start an nginx whose http block is this text, which has a server listen on this port."""
    program = needs("nginx", package="nginx")
    config = folder / "nginx.conf"
    user = "user root;" if folder.stat().st_uid == 0 else ""
    main = MAIN.partition("    server {{")[0] + "}}\n"
    config.write_text(main.format(folder=folder, http=text, user=user))
    command = [program, "-c", str(config), "-p", str(folder), "-e", "stderr"]
    with running(command, port=port, log=folder / "log", stop=signal.SIGQUIT) as server:
        yield server


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[StartNginx]:
    """Start an nginx with this server block (and `http` before it); it stops with the test.

    "{folder}" in either stands for a folder of its own.
    """
    program = needs("nginx", package="nginx")
    with ExitStack() as stack:

        def start(server: str, *, http: str = "") -> Running:
            port = free_port()
            folder = tmp_path / f"nginx-{port}"
            folder.mkdir()
            user = "user root;" if folder.stat().st_uid == 0 else ""
            server, http = (text.replace("{folder}", str(folder)) for text in (server, http))
            config = folder / "nginx.conf"
            config.write_text(
                MAIN.format(folder=folder, port=port, server=server, http=http, user=user),
            )
            command = [program, "-c", str(config), "-p", str(folder), "-e", "stderr"]
            started = running(command, port=port, log=folder / "log", stop=signal.SIGQUIT)
            return stack.enter_context(started)

        yield start
