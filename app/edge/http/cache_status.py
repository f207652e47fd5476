"""The Cache-Status field: how a cache handled a request (RFC 9211)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from .structured_fields import BareItem, Token, format_item


class ForwardReason(Enum):
    """Why a request was forwarded to the origin (RFC 9211 section 2.2)."""

    BYPASS = "bypass"
    METHOD = "method"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    MISS = "miss"
    REQUEST = "request"
    STALE = "stale"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """One member of the Cache-Status list; `hit` and `fwd` exclude each other."""

    hit: bool = False
    fwd: ForwardReason | None = None
    fwd_status: int | None = None
    ttl: float | None = None
    stored: bool = False
    collapsed: bool = False
    key: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        if self.hit and self.fwd is not None:
            raise ValueError("A response is either a hit or forwarded: pass either hit or fwd.")

    def to_field_value(self, cache: str) -> str:
        """Return the member for the cache with this name."""
        parameters: dict[str, BareItem | None] = {
            "hit": self.hit or None,
            "fwd": None if self.fwd is None else Token(self.fwd.value),
            "fwd-status": self.fwd_status,
            "ttl": None if self.ttl is None else math.floor(self.ttl),
            "stored": self.stored or None,
            "collapsed": self.collapsed or None,
            "key": self.key,
            "detail": None if self.detail is None else Token(self.detail),
        }
        return format_item(
            Token(cache), {name: value for name, value in parameters.items() if value is not None}
        )
