"""Decide whether a shared cache may store a response, with the reason (RFC 9111 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from . import connection, vary
from .fields import is_value
from .freshness import HEURISTIC_STATUSES, FreshnessLifetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from .fields import HeaderFields
    from .targeted import EffectiveDirectives

#: Statuses that are never stored, because they answer one particular request: parts, responses to
#: conditions, to a Range or a delta, and to the credentials, length, connection, rate or
#: expectations of a request. RFC 6585 forbids storing 428, 429, 431 and 511.
_NEVER: Final = frozenset(
    {
        HTTPStatus.PARTIAL_CONTENT,
        HTTPStatus.IM_USED,
        HTTPStatus.NOT_MODIFIED,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.LENGTH_REQUIRED,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        HTTPStatus.EXPECTATION_FAILED,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.UPGRADE_REQUIRED,
        HTTPStatus.PRECONDITION_REQUIRED,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        HTTPStatus.LOOP_DETECTED,
        HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
    }
)
#: Status codes whose caching rules are implemented here (section 5.2.2.3, must-understand).
UNDERSTOOD: Final = HEURISTIC_STATUSES | {302, 303, 307, 400, 403, 451, 500, 502, 503, 504}
_FINAL: Final = range(200, 600)
#: One of these allows sharing a response to a request with credentials (RFC 9111 section 3.5).
_FOR_ALL: Final = ("public", "must-revalidate", "s-maxage")
#: Computed for each response, so not stored.
_AGE: Final = frozenset({"age"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCandidate:
    """A response to a GET that may be stored, with the relevant facts of its request."""

    status: int
    fields: HeaderFields
    effective: EffectiveDirectives
    lifetime: FreshnessLifetime
    #: The reason phrase of the status line.
    reason: str = ""
    has_credentials: bool = False
    #: The origin saw a cookie or credentials of the reader.
    personal: bool = False
    request_no_store: bool = False
    #: Whether Set-Cookie may be stored and sent to everyone.
    cookies_allowed: bool = False

    @property
    def has_validator(self) -> bool:
        """Return whether the response can be validated with the origin."""
        return "etag" in self.fields or "last-modified" in self.fields

    @property
    def excluded_fields(self) -> frozenset[str]:
        """Return the lower-case names of the fields that are not stored (section 3.1)."""
        directives = self.effective.directives
        names = directives.fields("private") | directives.fields("no-cache")
        return connection.hop_by_hop(self.fields) | names | _AGE


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageDecision:
    """Whether to store, and the reason as a token for Cache-Status and the log."""

    store: bool
    reason: str


def decide_storage(candidate: StorageCandidate) -> StorageDecision:
    """Return the first reason not to store, or the decision to store."""
    for reason, speaks_against in _REASONS:
        if speaks_against(candidate):
            return StorageDecision(store=False, reason=reason)
    return StorageDecision(store=True, reason="storable")


def _status(candidate: StorageCandidate) -> bool:
    return candidate.status not in _FINAL or candidate.status in _NEVER


def _unsendable(candidate: StorageCandidate) -> bool:
    """Return whether a line is invalid, so that every HIT would be an error (RFC 9110, 5.5)."""
    return not (candidate.fields.sendable and is_value(candidate.reason))


def _not_understood(candidate: StorageCandidate) -> bool:
    return (
        "must-understand" in candidate.effective.directives and candidate.status not in UNDERSTOOD
    )


def _no_store(candidate: StorageCandidate) -> bool:
    """Apply no-store, unless must-understand overrides it (section 5.2.2.3)."""
    directives = candidate.effective.directives
    return "no-store" in directives and "must-understand" not in directives


def _private(candidate: StorageCandidate) -> bool:
    return candidate.effective.directives.is_unqualified("private")


def _request_no_store(candidate: StorageCandidate) -> bool:
    return candidate.request_no_store


def _set_cookie(candidate: StorageCandidate) -> bool:
    if candidate.cookies_allowed or "set-cookie" not in candidate.fields:
        return False
    return "set-cookie" not in candidate.excluded_fields


def _vary_star(candidate: StorageCandidate) -> bool:
    return vary.nominated_fields(candidate.fields.lines("vary")) is None


def _authorization(candidate: StorageCandidate) -> bool:
    directives = candidate.effective.directives
    return candidate.has_credentials and not any(name in directives for name in _FOR_ALL)


def _personal(candidate: StorageCandidate) -> bool:
    """Return whether a response to a cookie has neither a lifetime nor `public`."""
    if not candidate.personal or candidate.lifetime.source not in {None, "heuristic"}:
        return False
    return "public" not in candidate.effective.directives


def _not_cacheable(candidate: StorageCandidate) -> bool:
    if candidate.lifetime.source or "public" in candidate.effective.directives:
        return False
    return candidate.status not in HEURISTIC_STATUSES


def _no_freshness(candidate: StorageCandidate) -> bool:
    """Return whether the response has no lifetime and no validator, so is never usable."""
    if candidate.has_validator:
        return False
    return not candidate.lifetime.source or candidate.effective.directives.is_unqualified(
        "no-cache"
    )


_REASONS: Final[tuple[tuple[str, Callable[[StorageCandidate], bool]], ...]] = (
    ("status", _status),
    ("malformed-field", _unsendable),
    ("must-understand", _not_understood),
    ("no-store", _no_store),
    ("private", _private),
    ("request-no-store", _request_no_store),
    ("set-cookie", _set_cookie),
    ("vary-star", _vary_star),
    ("authorization", _authorization),
    ("personal", _personal),
    ("not-cacheable", _not_cacheable),
    ("no-freshness", _no_freshness),
)
