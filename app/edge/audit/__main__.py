"""Audit a live site from outside: `python -m app.edge.audit https://example.org`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .audit import AuditOptions
from .command import OutputOptions, run
from .prober import AuditLimits


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run the audit and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m app.edge.audit", description=__doc__)
    parser.add_argument("base_url", help="the site, such as https://example.org")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--watch", action="store_true", help="sample until Ctrl-C")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between samples (5)")
    parser.add_argument("--for", type=float, dest="span", help="seconds to watch")
    parser.add_argument(
        "--origin", help="the origin's own URL, to test whether it answers without the CDN"
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="seconds to wait for a response (10)"
    )
    options = parser.parse_args(arguments)
    if options.timeout <= 0:
        parser.error("--timeout must be a number of seconds greater than zero")
    return run(
        options.base_url,
        AuditOptions(origin_url=options.origin, limits=AuditLimits(timeout=options.timeout)),
        OutputOptions(
            as_json=options.json,
            watching=options.watch,
            interval=options.every,
            duration=options.span,
        ),
        out=lambda text: sys.stdout.write(f"{text}\n"),
        err=lambda text: sys.stderr.write(f"{text}\n"),
    )


if __name__ == "__main__":
    raise SystemExit(main())
