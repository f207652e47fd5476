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


def keep(environment: Environment, *, name: bytes, value: bytes) -> bool:
    """Note a value; what was there under the name is gone."""
    with environment.writing() as transaction:
        transaction.put(_PREFIX + name, value, db=environment.small)
    return True
