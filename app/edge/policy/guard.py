"""Decide whether a response may be shared, and return the reason if not.

Pure: the Flask adapter collects the facts, `find_reason_not_to_share` decides. In doubt a response
is not shared. `find_leaks` returns all reasons, for developers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .policy import Policy, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

SAFE_METHODS = frozenset({"GET", "HEAD"})
SUCCESS_STATUSES = frozenset({200, 203, 204, 206, 304})
SHAREABLE_STATUSES = SUCCESS_STATUSES | {300, 301, 302, 303, 307, 308, 404, 410, 451}
#: Caches handle validation and ranges themselves; Host is part of the URL.
PROTOCOL_HEADERS = frozenset(
    {
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFinding:
    """Why a response is not stored: a constant code, a sentence, and whether it is a leak.

    `reason` is the part of the sentence after the policy's name, `name` the parameter, header or
    cookie, and `place` the line that caused it; they may be empty.
    """

    code: str
    summary: str
    is_leak: bool = True
    reason: str = ""
    name: str = ""
    place: str = ""

    @property
    def clause(self) -> str:
        """The reason with its place and its code."""
        return f"{self.reason}{f' at {self.place}' if self.place else ''} ({self.code})"


class Leak(PolicyError):  # noqa: N818 - named after the fault
    """A response with a shared policy was built from one reader's data."""

    def __init__(self, message: str, findings: tuple[GuardFinding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFacts:
    """What an adapter recorded while a response was built.

    `reason_codes` are keys of LEAK_REASONS. Query parameters and headers are names, headers in
    lower case.
    """

    view: str
    policy: Policy
    has_policy: bool = True
    method: str = "GET"
    status: int = 200
    reason_codes: frozenset[str] = frozenset()
    cookies_set: tuple[str, ...] = ()
    vary: frozenset[str] = frozenset()
    query_read: frozenset[str] = frozenset()
    query_declared: frozenset[str] = frozenset()
    headers_read: frozenset[str] = frozenset()
    is_streamed: bool = False


#: Private inputs of a page, by reason code, in the order in which they are reported.
LEAK_REASONS = {
    "user-read": "it read the current user",
    "csrf-token": "it created a CSRF token, which belongs to one reader",
    "session-changed": "it changed the session",
    "session-read": "it read the session",
    "cookie-read": "it read a request cookie",
    "authorization-read": "it read the Authorization header",
    "client-read": "it read the reader's address or name",
    "body-read": "it read the body of the request, which is not part of a cache key",
    "private-read": "it read something that was declared private",
    "vary-cookie": "it varies on Cookie",
    "request-untracked": "its request class is not the edge's, so its reads were not recorded",
}


def find_reason_not_to_share(facts: ResponseFacts) -> GuardFinding | None:
    """Return why the response must not be stored, or None when its policy may hold."""
    return next(_findings(facts), None)


def find_leaks(
    facts: ResponseFacts, locate: Callable[[str], str] | None = None
) -> tuple[GuardFinding, ...]:
    """Return every leak of a response, each parameter and header in a finding of its own.

    Args:
        facts: the facts of the response.
        locate: returns the line of a read by its code, or by `query NAME` or `header NAME`.
    """
    if not facts.policy.is_shareable:
        return ()
    if facts.reason_codes & {"session-read", "session-changed"}:
        facts = replace(facts, vary=facts.vary - {"cookie"})  # Flask adds it because of the session
    leaks = [*_private_inputs(facts), *_response_leaks(facts)]
    leaks += [leak for single in _one_read_each(facts) for leak in _undeclared_reads(single)]
    by_summary = {leak.summary: leak for leak in leaks}
    if locate is None:
        return tuple(by_summary.values())
    located = [replace(leak, place=locate(_read_of(leak))) for leak in by_summary.values()]
    return tuple(_without_consequences(located))


_READ_FOR_USER = frozenset(
    {
        "session-changed",
        "session-read",
        "cookie-read",
        "authorization-read",
        "client-read",
        "header-undeclared",
    }
)
"""What an extension reads to find the user or to make a token."""


def _without_consequences(leaks: list[GuardFinding]) -> Iterator[GuardFinding]:
    """Leave out each leak that another one has caused at the same place."""
    user_places = {leak.place for leak in leaks if leak.code in {"user-read", "csrf-token"}}
    changed_places = {leak.place for leak in leaks if leak.code == "session-changed"}
    for leak in leaks:
        is_for_user = leak.code in _READ_FOR_USER and leak.place in user_places
        is_for_change = leak.code == "session-read" and leak.place in changed_places
        if not (leak.place and (is_for_user or is_for_change)):
            yield leak


def _one_read_each(facts: ResponseFacts) -> Iterator[ResponseFacts]:
    """Yield the facts once for each parameter and header that was read."""
    nothing: frozenset[str] = frozenset()
    for name in sorted(facts.query_read):
        yield replace(facts, query_read=frozenset({name}), headers_read=nothing)
    for name in sorted(facts.headers_read):
        yield replace(facts, query_read=nothing, headers_read=frozenset({name}))


def _read_of(leak: GuardFinding) -> str:
    """Return the name by which the place of a read is recorded."""
    kind = {"query-undeclared": "query", "header-undeclared": "header"}.get(leak.code)
    return leak.code if kind is None else f"{kind} {leak.name}"


def summarise(findings: tuple[GuardFinding, ...]) -> str:
    """Return one sentence on all findings of a response, each with its place."""
    first = findings[0]
    if len(findings) == 1 and not first.place:
        return first.summary
    start = first.summary.partition(f", but {first.reason}")[0]
    return f"{start}, but {'; '.join(finding.clause for finding in findings)}."


def _findings(facts: ResponseFacts) -> Iterator[GuardFinding]:
    yield from _ordinary_reasons(facts)
    if not facts.policy.is_shareable:
        return
    yield from _private_inputs(facts)
    yield from _response_leaks(facts)
    yield from _undeclared_reads(facts)
    if "session-read-late" in facts.reason_codes:
        # An after_request function read it, or Flask renewed the cookie: not an error of the view.
        sentence = f"{facts.view}: the session of a reader was used after the page was built."
        yield GuardFinding(code="session-read", summary=sentence, is_leak=False)


def _ordinary_reasons(facts: ResponseFacts) -> Iterator[GuardFinding]:
    if facts.method not in SAFE_METHODS:
        sentence = f"{facts.view} answered {facts.method}, which is never stored."
        yield GuardFinding(code="unsafe-method", summary=sentence, is_leak=False)
    elif not facts.policy.no_store and facts.status not in SHAREABLE_STATUSES:
        sentence = f"{facts.view} answered {facts.status}, which is never stored."
        yield GuardFinding(code="error-status", summary=sentence, is_leak=False)
    elif facts.policy.no_store and not facts.has_policy:
        sentence = f"{facts.view} has no policy for this response, so it is not stored."
        yield GuardFinding(code="unmarked", summary=sentence, is_leak=False)


def _private_inputs(facts: ResponseFacts) -> Iterator[GuardFinding]:
    for code, reason in LEAK_REASONS.items():
        if code in facts.reason_codes:
            yield _leak(facts, code, reason)


def _response_leaks(facts: ResponseFacts) -> Iterator[GuardFinding]:
    private_fields = facts.policy.private if isinstance(facts.policy.private, tuple) else ()
    if facts.cookies_set and "Set-Cookie" not in private_fields:
        names = ", ".join(facts.cookies_set)
        yield _leak(facts, "set-cookie", f"it sets the cookie {names}", names)
    if "*" in facts.vary:
        yield _leak(facts, "vary-any", "it varies on *, so no other request may get it")
    for name in sorted(facts.vary & {"cookie", "authorization"}):
        yield _leak(facts, f"vary-{name}", f"it varies on {name.title()}")
    if facts.is_streamed:
        reason = "its body is streamed after the headers were sent, so its reads are not recorded"
        yield _leak(facts, "body-streamed", reason)


def _undeclared_reads(facts: ResponseFacts) -> Iterator[GuardFinding]:
    query = sorted(facts.query_read - facts.query_declared)
    if query:
        names = ", ".join(query)
        reason = f"it read the query parameter {names}, which its route does not declare"
        yield _leak(facts, "query-undeclared", reason, names)
    declared = {name.lower() for name in facts.policy.vary} | facts.vary | PROTOCOL_HEADERS
    headers = sorted(facts.headers_read - declared)
    if headers:
        names = ", ".join(headers)
        reason = f"it read the request header {names}, which its route does not declare"
        yield _leak(facts, "header-undeclared", reason, names)


def _leak(facts: ResponseFacts, code: str, reason: str, name: str = "") -> GuardFinding:
    return leak_finding(facts.view, facts.policy, code, reason, name=name)


def leak_finding(
    view: str, policy: Policy, code: str, reason: str, *, name: str = "", place: str = ""
) -> GuardFinding:
    """Return the finding that a view with a shared policy read private or unknown data."""
    sentence = f"{view} has the shared policy {policy.name}, but {reason} ({code})."
    return GuardFinding(code=code, summary=sentence, reason=reason, name=name, place=place)
