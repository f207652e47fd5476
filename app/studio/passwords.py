"""Passwords: rules for new ones, hashing, and at most two hashes at a time per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from werkzeug.security import check_password_hash, generate_password_hash

from app.publishing.errors import Invalid

SHORTEST = 10
MOST_BYTES = 1024

_OPEN_SLOT, _KNOWN_SLOT = Lock(), Lock()


class BusyError(Exception):
    """Two passwords are being hashed already; the client may try again in a second."""


def check_new(password: str, email: str = "") -> None:
    """Raise Invalid for a password that is too short, too long, or the e-mail address itself."""
    if len(password) < SHORTEST:
        raise Invalid("password", f"The password needs at least {SHORTEST} characters.")
    if len(password.encode()) > MOST_BYTES:
        raise Invalid("password", f"The password is longer than {MOST_BYTES} bytes.")
    if email and password.strip().lower() in {email, email.partition("@")[0]}:
        raise Invalid("password", "The password must not be the e-mail address.")


@contextmanager
def hash_slot(*, is_known: bool) -> Iterator[None]:
    """Hold one of the two slots for hashing; raises BusyError instead of waiting.

    One slot is for browsers that have logged in before, so that a flood of attempts by others
    does not keep the users out.
    """
    slots = (_KNOWN_SLOT, _OPEN_SLOT) if is_known else (_OPEN_SLOT,)
    slot = next((slot for slot in slots if slot.acquire(blocking=False)), None)
    if slot is None:
        raise BusyError
    try:
        yield
    finally:
        slot.release()


def hash_password(password: str) -> str:
    """Return the salted hash of a password; the caller holds a slot."""
    return generate_password_hash(password, method="scrypt")


def verify(password: str, password_hash: str | None) -> bool:
    """Compare a password with a hash; without a hash, hash all the same and return False.

    So an unknown account takes as long as a known one. The caller holds a slot.
    """
    if len(password.encode()) > MOST_BYTES:
        password, password_hash = "", None
    matches = check_password_hash(password_hash or _dummy_hash(), password)
    return matches and bool(password_hash)


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    return hash_password("no account has this password")
