"""Keeper: from an answer to what is stored of it, and from a newer head to a fresher one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..http import freshness, storing, targeted, updating, vary
from ..http.cache_control import Directives
from . import packing
from .head import Head
from .stored import Body, Stored

if TYPE_CHECKING:
    from ..http.fields import Fields, Pair
    from .options import Options
    from .request import Request

#: Not part of the stored lines: each body has its own.
_OWN: Final = frozenset({"content-length", "etag"})
#: Fields that promise a lifetime to one kind of cache or another.
_TOLD_TO_EDGES: Final = ("cdn-cache-control", "surrogate-control", "x-accel-expires")
#: RFC 9111 section 4.2.4: any of these forbids serving stale; s-maxage implies proxy-revalidate.
_STRICT: Final = ("must-revalidate", "proxy-revalidate", "s-maxage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshened:
    """A stored response under a newer head, and whether it may still be stored."""

    stored: Stored
    verdict: storing.Verdict


class Keeper:
    """Applies the options of one gateway to what its origin says."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def candidate(self, head: Head, request: Request) -> storing.Candidate:
        """Return the question whether this may be stored for that request."""
        obeyed = targeted.obeyed(head.fields, self._options.targets)
        lifetime = freshness.lifetime(head.fields, obeyed, received_at=head.received_at)
        guesses = head.status in freshness.HEURISTIC_STATUSES or "public" in obeyed.directives
        guesses = guesses and not request.personal
        if lifetime.source is None and guesses and self._options.heuristic:
            lifetime = freshness.heuristic(
                head.fields, received_at=head.received_at, fraction=self._options.heuristic
            )
        return storing.Candidate(
            status=head.status,
            reason=head.reason,
            fields=head.fields,
            obeyed=obeyed,
            lifetime=lifetime,
            authorized=request.authorized,
            personal=request.personal,
            no_store_asked="no-store" in request.asked,
            cookies_allowed=self._options.keeps_cookies,
        )

    def kept(
        self, head: Head, content: bytes, candidate: storing.Candidate, request: Request
    ) -> Stored:
        """Return what to keep of a complete answer; its codings come later."""
        ours = self._options.compress and request.coding is None
        packs = ours and packing.worthwhile(
            head.fields, candidate.obeyed.directives, status=head.status
        )
        etag = head.fields.first("etag")
        bodies = (Body(coding="identity", length=len(content), etag=etag),)
        large = len(content) >= self._options.smallest
        return self.made(head, candidate, request, bodies, coded=packs, unpacked=packs and large)

    def freshened(self, old: Stored, newer: Head, request: Request) -> Freshened:
        """Return a stored response as a 304 or HEAD has it now (RFC 9111 sections 3.2, 4.3.4)."""
        lines = (*old.headers, *old.internal)
        left_out = self.candidate(newer, request).left_out | self._options.per_request | _OWN
        merged = updating.updated(lines, newer.pairs, left_out)
        etag = newer.fields.first("etag") or _etag(old)
        head = Head(
            status=old.status,
            reason=old.reason,
            pairs=(*merged, *_own(etag, newer)),
            requested_at=newer.requested_at,
            received_at=newer.received_at,
        )
        candidate = self.candidate(head, request)
        bodies = tuple(replace(body, etag=packing.tagged(body.coding, etag)) for body in old.bodies)
        coded = len(bodies) > 1 or old.unpacked
        made = self.made(head, candidate, request, bodies, coded=coded, unpacked=old.unpacked)
        return Freshened(stored=replace(made, id=old.id), verdict=storing.verdict(candidate))

    def unkept(self, head: Head, candidate: storing.Candidate) -> tuple[Pair, ...]:
        """Return the fields that are for this one reader, and Age as it came from upstream."""
        private = candidate.obeyed.directives.fields("private")
        validated = candidate.obeyed.directives.fields("no-cache")
        names = private | validated | self._options.per_request | {"age"}
        return tuple(
            pair
            for pair in head.pairs
            if pair[0].lower() in names and pair[0].lower() not in self._options.internal
        )

    def made(
        self,
        head: Head,
        candidate: storing.Candidate,
        request: Request,
        bodies: tuple[Body, ...],
        *,
        coded: bool = False,
        unpacked: bool = False,
    ) -> Stored:
        """Return the value: lines sorted into shown and internal, times and verdicts worked out."""
        directives, options = candidate.obeyed.directives, self._options
        left_out = candidate.left_out | options.per_request | _OWN
        lines = [pair for pair in head.pairs if pair[0].lower() not in left_out]
        headers = tuple(pair for pair in lines if pair[0].lower() not in options.internal)
        initial_age = freshness.initial_age(
            head.fields, requested_at=head.requested_at, received_at=head.received_at
        )
        return Stored(
            id=secrets.token_hex(8),
            status=head.status,
            reason=head.reason,
            headers=vary.in_one_line(headers, *(["Accept-Encoding"] if coded else [])),
            internal=tuple(pair for pair in lines if pair[0].lower() in options.internal),
            vary=self._selection(head.fields, request),
            bodies=bodies,
            requested_at=head.requested_at,
            received_at=head.received_at,
            born=head.received_at - initial_age,
            lifetime=candidate.lifetime.seconds,
            validates=directives.whole("no-cache"),
            strict=any(name in directives for name in _STRICT),
            while_revalidate=directives.delta("stale-while-revalidate") or 0,
            if_error=directives.delta("stale-if-error") or 0,
            vouched=self._vouches(candidate),
            unpacked=unpacked,
        )

    def _vouches(self, candidate: storing.Candidate) -> bool:
        """Tell whether a HIT is as new as a fresh answer, and whether that matters to anybody.

        Only the gateway's own field counts: nobody else is told of each purge.
        """
        obeyed, options = candidate.obeyed, self._options
        own = options.vouches and obeyed.source == options.targets[0]
        return own and "purged" in obeyed.directives and _offers(candidate.fields, options)

    def _selection(self, fields: Fields, request: Request) -> vary.Selection:
        names = vary.nominated(fields.lines("vary")) or ()
        if self._options.compress and request.coding is None:
            names = tuple(name for name in names if name != "accept-encoding")
        return vary.selection(names, request.seen)


def _offers(fields: Fields, options: Options) -> bool:
    """Tell whether caches behind the gateway may keep the response, so that an Age costs them."""
    if any(name in fields and name not in options.internal for name in _TOLD_TO_EDGES):
        return True
    said = Directives.parse(fields.lines("cache-control"))
    return bool(said.delta("s-maxage") or said.delta("max-age"))


def _etag(stored: Stored) -> str | None:
    answer = stored.answers.get("identity")
    return answer.body.etag if answer else None


def _own(etag: str | None, newer: Head) -> tuple[Pair, ...]:
    """Return what is not among the stored lines but counts for the verdict and the age."""
    tag = () if etag is None else (("ETag", etag),)
    return (*tag, ("Age", str(freshness.age_value(newer.fields))))
