"""Identify the boot of the machine, so that a store is not used after a power loss."""

import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")
_DARWIN = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


@cache
def boot_id() -> str:
    """Return an id that changes with each boot; if none is available, with each process."""
    try:
        if sys.platform == "darwin":
            output = subprocess.run(_DARWIN, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603 - a constant command
            return output.stdout.strip() or _random_boot_id()
        return _LINUX.read_text("ascii").strip() or _random_boot_id()
    except (OSError, subprocess.SubprocessError, ValueError):
        return _random_boot_id()


def _random_boot_id() -> str:
    return f"unknown-{secrets.token_hex(8)}"


def pid_namespace() -> str:
    """Return the namespace in which process ids are unique (LMDB identifies readers by pid)."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return "only"
