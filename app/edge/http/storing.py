"""Storing: may a shared cache keep this response, and if not, why (RFC 9111 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from . import connection, vary
from .fields import is_value
from .freshness import HEURISTIC_STATUSES, Lifetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from .fields import Fields
    from .targeted import Obeyed

#: Never stored: what answers one request and not every request for the page. Parts, answers to
#: conditions, a Range or a delta, and answers to the credentials, length, connection, pace or
#: expectations of one request; RFC 6585 forbids it for 428, 429, 431 and 511.
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
#: Status codes whose meaning for caches is known here (section 5.2.2.3, must-understand).
UNDERSTOOD: Final = HEURISTIC_STATUSES | {302, 303, 307, 400, 403, 451, 500, 502, 503, 504}
_FINAL: Final = range(200, 600)
#: RFC 9111 section 3.5: one of these lets an answer to an authorized request be shared.
_FOR_ALL: Final = ("public", "must-revalidate", "s-maxage")
#: Told anew in each answer, so not part of what is kept.
_AGE: Final = frozenset({"age"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A response to GET that might be stored, and what of its request matters here."""

    status: int
    fields: Fields
    obeyed: Obeyed
    lifetime: Lifetime
    #: What follows the three digits of the status line.
    reason: str = ""
    authorized: bool = False
    #: The origin saw a cookie or credentials of the reader.
    personal: bool = False
    no_store_asked: bool = False
    #: Set-Cookie may be kept and shown to everyone: never, unless someone insists.
    cookies_allowed: bool = False

    @property
    def has_validator(self) -> bool:
        """Tell whether the origin could be asked if it is still good."""
        return "etag" in self.fields or "last-modified" in self.fields

    @property
    def left_out(self) -> frozenset[str]:
        """Return the lower-case names of the fields that are not kept (section 3.1)."""
        directives = self.obeyed.directives
        named = directives.fields("private") | directives.fields("no-cache")
        return connection.hop_by_hop(self.fields) | named | _AGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether to store, and the reason as a token for Cache-Status and the log."""

    store: bool
    reason: str


def verdict(candidate: Candidate) -> Verdict:
    """Return the first reason not to store, or that nothing speaks against it."""
    for reason, speaks_against in _REASONS:
        if speaks_against(candidate):
            return Verdict(store=False, reason=reason)
    return Verdict(store=True, reason="storable")


def _status(candidate: Candidate) -> bool:
    return candidate.status not in _FINAL or candidate.status in _NEVER


def _unsendable(candidate: Candidate) -> bool:
    """A server refuses to send these lines, so every HIT would be an error (RFC 9110, 5.5)."""
    return not (candidate.fields.sendable and is_value(candidate.reason))


def _not_understood(candidate: Candidate) -> bool:
    return "must-understand" in candidate.obeyed.directives and candidate.status not in UNDERSTOOD


def _no_store(candidate: Candidate) -> bool:
    """Obey no-store unless a must-understand that is understood is there (section 5.2.2.3)."""
    directives = candidate.obeyed.directives
    return "no-store" in directives and "must-understand" not in directives


def _private(candidate: Candidate) -> bool:
    return candidate.obeyed.directives.whole("private")


def _request_no_store(candidate: Candidate) -> bool:
    return candidate.no_store_asked


def _set_cookie(candidate: Candidate) -> bool:
    if candidate.cookies_allowed or "set-cookie" not in candidate.fields:
        return False
    return "set-cookie" not in candidate.left_out


def _vary_star(candidate: Candidate) -> bool:
    return vary.nominated(candidate.fields.lines("vary")) is None


def _authorization(candidate: Candidate) -> bool:
    directives = candidate.obeyed.directives
    return candidate.authorized and not any(name in directives for name in _FOR_ALL)


def _personal(candidate: Candidate) -> bool:
    """Without a lifetime or `public`, nobody said that a page made from a cookie is for all."""
    if not candidate.personal or candidate.lifetime.source not in {None, "heuristic"}:
        return False
    return "public" not in candidate.obeyed.directives


def _not_cacheable(candidate: Candidate) -> bool:
    if candidate.lifetime.source or "public" in candidate.obeyed.directives:
        return False
    return candidate.status not in HEURISTIC_STATUSES


def _useless(candidate: Candidate) -> bool:
    """Without a validator, what can't be used before it is validated can't be used at all."""
    if candidate.has_validator:
        return False
    return not candidate.lifetime.source or candidate.obeyed.directives.whole("no-cache")


_REASONS: Final[tuple[tuple[str, Callable[[Candidate], bool]], ...]] = (
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
    ("no-freshness", _useless),
)
