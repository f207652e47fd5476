"""Small named values that are stored until the store is discarded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .environment import Environment

_PREFIX = b"note "
_MAX_LENGTH = 4096


def check_size(name: bytes, value: bytes) -> None:
    """Raise ValueError if the name or the value is too long."""
    if len(name) > _MAX_LENGTH // 16 or len(value) > _MAX_LENGTH:
        raise ValueError(f"A value is at most {_MAX_LENGTH} bytes, its name a sixteenth.")


def get_value(environment: Environment, *, name: bytes) -> bytes | None:
    """Return the value under a name."""
    return environment.get(environment.metadata_table, _PREFIX + name)


def enlist(environment: Environment, *, name: bytes, line: bytes, full: bytes) -> bool:
    """Add a line to a value atomically; add `full` if there is no room for the line."""
    with environment.write_transaction() as transaction:
        before = transaction.get(_PREFIX + name, db=environment.metadata_table) or b""
        lines = before.split(b"\n") if before else []
        if line in lines or full in lines:
            return True
        after = b"\n".join([*lines, line])
        if len(after) + len(full) >= _MAX_LENGTH:
            after = b"\n".join([*lines, full])
        transaction.put(_PREFIX + name, after, db=environment.metadata_table)
    return True


def set_value(environment: Environment, *, name: bytes, value: bytes) -> bool:
    """Store a value under a name, replacing an old one."""
    with environment.write_transaction() as transaction:
        transaction.put(_PREFIX + name, value, db=environment.metadata_table)
    return True
