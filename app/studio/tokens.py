"""Tokens and signatures: random tokens, their hashes, and values signed with SECRET_KEY."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from flask import current_app

BYTES = 32


def new_token() -> str:
    """Return a random token in lower-case hexadecimal digits, which every URL keeps as it is."""
    return secrets.token_hex(BYTES)


def hash_token(token: str) -> str:
    """Return the hash under which a token is stored."""
    return sha256(token.encode()).hexdigest()


def sign(purpose: str, value: str) -> str:
    """Return the signature of a value for one purpose, made with SECRET_KEY."""
    key: str | bytes = current_app.config["SECRET_KEY"]
    secret = key.encode() if isinstance(key, str) else key
    return hmac.new(secret, f"{purpose}\0{value}".encode(), sha256).hexdigest()


def is_signature(purpose: str, value: str, signature: str) -> bool:
    """Tell, in constant time, whether this is the signature of the value."""
    return hmac.compare_digest(sign(purpose, value).encode(), signature.encode())
