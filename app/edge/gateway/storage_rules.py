"""Build the stored response from a response, and freshen it from a 304 or HEAD."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..http import freshness, header_update, storing, targeted, vary
from ..http.cache_control import Directives
from . import content_coding, language_list
from .response_head import ResponseHead
from .stored_response import BodyInfo, StoredResponse

if TYPE_CHECKING:
    from ..http.fields import FieldLine, HeaderFields
    from .options import Options
    from .request import Request

#: Not among the stored header lines: each body has its own values.
_PER_BODY_FIELDS: Final = frozenset({"content-length", "etag"})
#: Fields that give a lifetime to CDNs and surrogates.
_CDN_FIELDS: Final = ("cdn-cache-control", "surrogate-control", "x-accel-expires")
#: RFC 9111 section 4.2.4: any of these forbids serving stale; s-maxage implies proxy-revalidate.
_NO_STALE_DIRECTIVES: Final = ("must-revalidate", "proxy-revalidate", "s-maxage")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshenedResponse:
    """A stored response with updated header fields, and whether it may still be stored."""

    stored: StoredResponse
    decision: storing.StorageDecision


class StorageRules:
    """Decides for one gateway which responses it stores, and builds the stored values."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def candidate(self, head: ResponseHead, request: Request) -> storing.StorageCandidate:
        """Return the facts from which `storing.decide_storage` decides."""
        effective = targeted.effective_directives(head.fields, self._options.targeted_fields)
        lifetime = freshness.explicit_lifetime(head.fields, effective, received_at=head.received_at)
        allows_heuristic = (
            head.status in freshness.HEURISTIC_STATUSES or "public" in effective.directives
        )
        allows_heuristic = allows_heuristic and not request.personal
        if lifetime.source is None and allows_heuristic and self._options.heuristic_fraction:
            lifetime = freshness.heuristic_lifetime(
                head.fields, received_at=head.received_at, fraction=self._options.heuristic_fraction
            )
        return storing.StorageCandidate(
            status=head.status,
            reason=head.reason,
            fields=head.fields,
            effective=effective,
            lifetime=lifetime,
            has_credentials=request.has_credentials,
            personal=request.personal,
            request_no_store="no-store" in request.directives,
            cookies_allowed=self._options.store_cookies,
        )

    def build_stored(
        self,
        head: ResponseHead,
        content: bytes,
        candidate: storing.StorageCandidate,
        request: Request,
    ) -> StoredResponse:
        """Return the stored form of a complete response; compressed bodies are added later."""
        may_compress = self._options.compress and request.origin_coding is None
        compresses = may_compress and content_coding.is_compressible(
            head.fields, candidate.effective.directives, status=head.status
        )
        etag = head.fields.first("etag")
        bodies = (BodyInfo(coding="identity", length=len(content), etag=etag),)
        is_large_enough = len(content) >= self._options.min_compress_size
        return self.build(
            head,
            candidate,
            request,
            bodies,
            vary_on_coding=compresses,
            needs_compression=compresses and is_large_enough,
        )

    def freshen(
        self, old: StoredResponse, newer: ResponseHead, request: Request
    ) -> FreshenedResponse:
        """Return a stored response updated from a 304 or HEAD (RFC 9111 sections 3.2, 4.3.4)."""
        lines = (*old.headers, *old.internal_headers)
        excluded = (
            self.candidate(newer, request).excluded_fields
            | self._options.per_request_fields
            | _PER_BODY_FIELDS
        )
        merged = header_update.update_stored_fields(lines, newer.pairs, excluded)
        etag = newer.fields.first("etag") or _etag(old)
        head = ResponseHead(
            status=old.status,
            reason=old.reason,
            pairs=(*merged, *_unstored_pairs(etag, newer)),
            requested_at=newer.requested_at,
            received_at=newer.received_at,
        )
        candidate = self.candidate(head, request)
        bodies = tuple(
            replace(body, etag=content_coding.etag_for_coding(body.coding, etag))
            for body in old.bodies
        )
        vary_on_coding = len(bodies) > 1 or old.needs_compression
        stored = self.build(
            head,
            candidate,
            request,
            bodies,
            vary_on_coding=vary_on_coding,
            needs_compression=old.needs_compression,
        )
        return FreshenedResponse(
            stored=replace(stored, id=old.id), decision=storing.decide_storage(candidate)
        )

    def unstored_fields(
        self, head: ResponseHead, candidate: storing.StorageCandidate
    ) -> tuple[FieldLine, ...]:
        """Return the fields that only this reader gets, and the Age from upstream."""
        private = candidate.effective.directives.fields("private")
        no_cache = candidate.effective.directives.fields("no-cache")
        names = private | no_cache | self._options.per_request_fields | {"age"}
        return tuple(
            pair
            for pair in head.pairs
            if pair[0].lower() in names and pair[0].lower() not in self._options.internal_fields
        )

    def build(
        self,
        head: ResponseHead,
        candidate: storing.StorageCandidate,
        request: Request,
        bodies: tuple[BodyInfo, ...],
        *,
        vary_on_coding: bool = False,
        needs_compression: bool = False,
    ) -> StoredResponse:
        """Build a stored response: visible and internal lines, lifetimes, times and flags."""
        directives, options = candidate.effective.directives, self._options
        excluded = candidate.excluded_fields | options.per_request_fields | _PER_BODY_FIELDS
        lines = [pair for pair in head.pairs if pair[0].lower() not in excluded]
        headers = tuple(pair for pair in lines if pair[0].lower() not in options.internal_fields)
        initial_age = freshness.corrected_initial_age(
            head.fields, requested_at=head.requested_at, received_at=head.received_at
        )
        return StoredResponse(
            id=secrets.token_hex(8),
            status=head.status,
            reason=head.reason,
            headers=vary.in_one_line(headers, *(["Accept-Encoding"] if vary_on_coding else [])),
            internal_headers=tuple(
                pair for pair in lines if pair[0].lower() in options.internal_fields
            ),
            vary=self._selecting_values(head.fields, request),
            bodies=bodies,
            requested_at=head.requested_at,
            received_at=head.received_at,
            generated_at=head.received_at - initial_age,
            lifetime=candidate.lifetime.seconds,
            requires_validation=directives.is_unqualified("no-cache"),
            forbids_stale=any(name in directives for name in _NO_STALE_DIRECTIVES),
            stale_while_revalidate=directives.delta_seconds("stale-while-revalidate") or 0,
            stale_if_error=directives.delta_seconds("stale-if-error") or 0,
            resets_age=self._resets_age(candidate),
            needs_compression=needs_compression,
        )

    def _resets_age(self, candidate: storing.StorageCandidate) -> bool:
        """Return whether a hit may be sent with `Age: 0`.

        The page must be purged on every change, which only the gateway's own field promises, and a
        downstream cache must be allowed to store it.
        """
        obeyed, options = candidate.effective, self._options
        own = options.reset_age and obeyed.source == options.targeted_fields[0]
        return (
            own
            and "purged" in obeyed.directives
            and _is_cacheable_downstream(candidate.fields, options)
        )

    def _selecting_values(self, fields: HeaderFields, request: Request) -> vary.Selection:
        names = vary.nominated_fields(fields.lines("vary")) or ()
        if self._options.compress and request.origin_coding is None:
            names = tuple(name for name in names if name != "accept-encoding")
        languages = language_list.parse_languages(fields.lines(language_list.FIELD_LOWER))
        return vary.selecting_values(names, request.header_for_origin, languages)


def _is_cacheable_downstream(fields: HeaderFields, options: Options) -> bool:
    """Return whether caches downstream of the gateway may store the response."""
    if any(name in fields and name not in options.internal_fields for name in _CDN_FIELDS):
        return True
    directives = Directives.parse(fields.lines("cache-control"))
    return bool(directives.delta_seconds("s-maxage") or directives.delta_seconds("max-age"))


def _etag(stored: StoredResponse) -> str | None:
    answer = stored.representations.get("identity")
    return answer.body.etag if answer else None


def _unstored_pairs(etag: str | None, newer: ResponseHead) -> tuple[FieldLine, ...]:
    """Return fields that are not stored but matter for the decision and for the age."""
    tag = () if etag is None else (("ETag", etag),)
    return (*tag, ("Age", str(freshness.parse_age(newer.fields))))
