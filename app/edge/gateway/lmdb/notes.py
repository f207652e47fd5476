"""Notes: small values that are kept until the store is discarded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .environment import Environment

_PREFIX = b"note "
_LONGEST = 4096


def check(name: bytes, value: bytes) -> None:
    """Refuse what is too long for a note with a ValueError."""
    if len(name) > _LONGEST // 16 or len(value) > _LONGEST:
        raise ValueError(f"A note is at most {_LONGEST} bytes, its name a sixteenth.")


def read(environment: Environment, *, name: bytes) -> bytes | None:
    """Return what was noted under a name."""
    return environment.get(environment.small, _PREFIX + name)


def enlist(environment: Environment, *, name: bytes, line: bytes, full: bytes) -> bool:
    """Add a line to a note, in one step; where there is no room for it, `full` is added."""
    with environment.writing() as transaction:
        before = transaction.get(_PREFIX + name, db=environment.small) or b""
        lines = before.split(b"\n") if before else []
        if line in lines or full in lines:
            return True
        after = b"\n".join([*lines, line])
        if len(after) + len(full) >= _LONGEST:
            after = b"\n".join([*lines, full])
        transaction.put(_PREFIX + name, after, db=environment.small)
    return True


def keep(environment: Environment, *, name: bytes, value: bytes) -> bool:
    """Note a value; what was there under the name is gone."""
    with environment.writing() as transaction:
        transaction.put(_PREFIX + name, value, db=environment.small)
    return True
