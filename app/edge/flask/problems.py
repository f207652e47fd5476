"""Say in a few words what prevents a page from being shared, and what its route has to declare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..policy.guard import GuardFinding
    from .effective_policy import EffectivePolicy
    from .visit import StrangerVisit

_PHRASES = {
    "user-read": "reads the user",
    "csrf-token": "creates a CSRF token",
    "session-changed": "changes the session",
    "session-read": "reads the session",
    "cookie-read": "reads a cookie",
    "authorization-read": "reads the Authorization header",
    "client-read": "reads the visitor's address or name",
    "body-read": "reads the body of the request",
    "private-read": "reads private data",
    "set-cookie": "sets the cookie {name}",
    "query-undeclared": "reads ?{name}",
    "header-undeclared": "reads the header {name}",
    "body-streamed": "streams its body",
}
"""What a page does, by the guard's code."""
_DECLARABLE = {"query-undeclared": "query", "header-undeclared": "headers"}
UNTRACKED = "reads the untracked table"
_NOT_PUBLIC = re.compile(r"the table (\S+) was not declared public")
_OK = 200


def describe_problems(visit: StrangerVisit) -> tuple[str, ...]:
    """Return what prevents a page from being shared, each with its place; empty if nothing does."""
    if visit.write_place is not None:
        return (f"{_at('writes to the database', visit.write_place)} (the write was refused)",)
    if visit.error:
        return (f"fails with {visit.error}",)
    if visit.status != _OK:
        target = f" to {visit.location}" if visit.location else ""
        return (f"answers {visit.status}{target}",)
    problems = [_at(_phrase(finding), finding.place) for finding in visit.findings]
    if visit.own_directives:
        problems.append(f"sets Cache-Control: {visit.own_directives} itself")
    return tuple(dict.fromkeys(problems))


def find_declarations(visit: StrangerVisit, effective: EffectivePolicy) -> str | None:
    """Return the arguments of `cached` that mend all findings; None if some can't be declared."""
    if visit.own_directives or any(f.code not in _DECLARABLE for f in visit.findings):
        return None
    names: dict[str, set[str]] = {
        "query": set(effective.query),
        "headers": set(effective.policy.vary),
    }
    for finding in visit.findings:
        names[_DECLARABLE[finding.code]].add(_name(finding))
    return "".join(
        f", {argument}=({_quote(values)},)" for argument, values in names.items() if values
    )


def _phrase(finding: GuardFinding) -> str:
    if match := _NOT_PUBLIC.match(finding.reason):
        return f"{UNTRACKED} {match[1]}"
    phrase = _PHRASES.get(finding.code, finding.reason.removeprefix("it "))
    return phrase.format(name=_name(finding)) if finding.name else phrase


def _name(finding: GuardFinding) -> str:
    return finding.name.title() if finding.code == "header-undeclared" else finding.name


def _quote(names: set[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))


def _at(phrase: str, place: str) -> str:
    return f"{phrase} at {place}" if place else phrase
