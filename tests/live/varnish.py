"""A Varnish of the tests' own: `varnish(vcl)` starts one in front of any origin."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .programs import Running, free_port, needs, running

StartVarnish = Callable[[str], Running]


@pytest.fixture
def varnish(tmp_path: Path) -> Iterator[StartVarnish]:
    """Start a Varnish with this VCL; it stops with the test."""
    with ExitStack() as stack:
        yield lambda vcl: stack.enter_context(varnished(tmp_path, vcl))


@contextmanager
def varnished(
    folder: Path, vcl: str, *, parameters: Sequence[str] = (), port: int = 0
) -> Iterator[Running]:
    """Start a Varnish with this VCL and these parameters (`name=value`); it stops at the end."""
    program = needs("varnishd", package="varnish")
    port = port or free_port()
    own = folder / f"varnish-{port}"
    own.mkdir(exist_ok=True)
    (own / "default.vcl").write_text(vcl)
    command = [program, "-F", "-n", str(own / "work"), "-a", f"127.0.0.1:{port}"]
    command += ["-f", str(own / "default.vcl"), "-s", "malloc,32m", "-j", "none"]
    command += ["-p", "vcc_allow_inline_c=off", "-T", "none"]
    command += [word for parameter in parameters for word in ("-p", parameter)]
    with running(command, port=port, log=own / "log", stop=signal.SIGINT) as server:
        yield server
