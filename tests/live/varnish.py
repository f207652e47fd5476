"""A Varnish of the tests' own: `varnish(vcl)` starts one in front of any origin."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .process import Running, free_port, needs, running

StartVarnish = Callable[[str], Running]


@pytest.fixture
def varnish(tmp_path: Path) -> Iterator[StartVarnish]:
    """Start a Varnish with this VCL; it stops with the test."""
    program = needs("varnishd", package="varnish")
    with ExitStack() as stack:

        def start(vcl: str) -> Running:
            port = free_port()
            folder = tmp_path / f"varnish-{port}"
            folder.mkdir()
            (folder / "default.vcl").write_text(vcl)
            command = [program, "-F", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}"]
            command += ["-f", str(folder / "default.vcl"), "-s", "malloc,32m", "-j", "none"]
            command += ["-p", "vcc_allow_inline_c=off", "-T", "none"]
            started = running(command, port=port, log=folder / "log", stop=signal.SIGINT)
            return stack.enter_context(started)

        yield start
