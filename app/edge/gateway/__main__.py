"""Serve the gateway in front of an HTTP origin: `python -m app.edge.gateway ORIGIN_URL`."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Final

from .admission import Admission
from .gateway import Gateway
from .options import Options
from .proxy import Proxy
from .server import Server
from .store.memory import MemoryStore

_HEURISTIC: Final = "heuristic lifetime, as a fraction of the time since Last-Modified (0.1)"
_COOKIES: Final = (
    "store responses that set a cookie; only for origins whose cookies identify no reader"
)
_STALE: Final = "how long a stale response may be served if the origin fails (3600)"


def build_server(arguments: list[str] | None = None) -> Server:
    """Return the server that the command line describes."""
    args = _build_parser().parse_args(arguments)
    options = Options(
        heuristic_fraction=args.heuristic,
        store_cookies=args.keep_cookies,
        compress=args.compress,
        stale_if_error=timedelta(seconds=args.stale_if_error),
    )
    proxy = Proxy(args.origin, timeout=timedelta(seconds=args.timeout), encoded=True)
    gateway = Admission(Gateway(proxy, store=MemoryStore(), options=options), token=proxy.token)
    settings = {
        "bind": f"{args.host}:{args.port}",
        "threads": args.threads,
        "keepalive": 75,
        "limit_request_line": 8190,
        "limit_request_field_size": 64 * 1024,
        "forwarder_headers": "",
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "loglevel": "warning",
    }
    return Server(gateway, settings)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.edge.gateway", description=__doc__)
    parser.add_argument("origin", metavar="ORIGIN_URL", help="for example http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (8080)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--threads", type=int, default=32, help="concurrent requests (32)")
    parser.add_argument("--timeout", type=float, default=30, help="origin timeout in seconds (30)")
    parser.add_argument("--heuristic", type=float, default=0.1, metavar="PART", help=_HEURISTIC)
    parser.add_argument("--keep-cookies", action="store_true", help=_COOKIES)
    parser.add_argument("--compress", action="store_true", help="store brotli and gzip variants")
    parser.add_argument(
        "--stale-if-error", type=float, default=3600, metavar="SECONDS", help=_STALE
    )
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve until stopped."""
    build_server(arguments).run()


if __name__ == "__main__":
    main()
