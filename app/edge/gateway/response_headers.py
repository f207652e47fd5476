"""Write the fields that the gateway adds to each response: Age, Cache-Status, capped headers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ..http import dates, vary
from ..http.cache_status import CacheStatus
from ..http.reuse import ReuseDecision
from . import capped_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import FieldLine
    from .lookup import LookupResult
    from .options import Options
    from .request import Request
    from .response import GatewayResponse
    from .stored_response import StoredResponse


class HeaderWriter:
    """Writes the response fields of one gateway."""

    def __init__(self, options: Options) -> None:
        self._name = options.name
        self._internal = options.internal_fields
        self._hit = f"{CacheStatus(hit=True).to_field_value(options.name)}; ttl="
        self._cap_level = options.cap_level

    def cache_status_line(self, status: CacheStatus) -> FieldLine:
        """Return the Cache-Status line, which follows the lines from upstream."""
        return ("Cache-Status", status.to_field_value(self._name))

    def without_internal_fields(
        self, headers: Iterable[FieldLine], request: Request | None
    ) -> list[FieldLine]:
        """Return the lines without internal fields; `request` is None if the gateway passes."""
        pairs = list(headers)
        visible_pairs = (pair for pair in pairs if pair[0].lower() not in self._internal)
        lines = list(vary.in_one_line(visible_pairs))
        return self._capped_lines(lines, pairs, request) or lines

    def finish_hit(
        self, response: GatewayResponse, lookup_result: LookupResult, request: Request, now: float
    ) -> GatewayResponse:
        """Complete a response from the store; written for speed, because every HIT runs it."""
        stored, use = lookup_result.stored, lookup_result.use
        assert stored is not None
        age = max(0.0, now - stored.generated_at)
        fresh = use is ReuseDecision.FRESH or use is None
        status_value = f"{self._hit}{int((stored.lifetime - age) // 1)}"
        if self._cap_level is not None:
            lines = self._capped_lines(
                response.headers, stored.internal_headers, request, fresh=fresh
            )
            if lines is not None:
                response.headers = lines
                status_value = f"{status_value}; detail=capped" if fresh else status_value
        if not fresh and use is not None:
            status_value = f"{status_value}; detail={use.value}"
        _add_age(response, stored, age, now)
        response.headers.append(("Cache-Status", status_value))
        return response

    def finish_forwarded(
        self,
        response: GatewayResponse,
        stored: StoredResponse,
        request: Request,
        status: CacheStatus,
        now: float,
    ) -> GatewayResponse:
        """Complete a response from the store after a request to the origin."""
        age = max(0.0, now - stored.generated_at)
        fresh = age < stored.lifetime
        lines = self._capped_lines(response.headers, stored.internal_headers, request, fresh=fresh)
        if lines is not None:
            response.headers = lines
            status = _with_capped_detail(status)
        _add_age(response, stored, age, now)
        response.headers.append(self.cache_status_line(status))
        return response

    def finish_fetched(
        self,
        response: GatewayResponse,
        stored: StoredResponse,
        request: Request,
        status: CacheStatus,
    ) -> GatewayResponse:
        """Complete a response that was just fetched."""
        lines = self._capped_lines(response.headers, stored.internal_headers, request)
        status = status if lines is None else _with_capped_detail(status)
        headers = self.without_internal_fields(
            response.headers if lines is None else lines, request
        )
        response.headers = [*headers, *stored.date_fields, self.cache_status_line(status)]
        return response

    def _capped_lines(
        self,
        headers: list[FieldLine],
        internal_lines: Iterable[FieldLine],
        request: Request | None,
        *,
        fresh: bool = True,
    ) -> list[FieldLine] | None:
        """Return the lines with capped lifetimes; None while all downstream caches can be purged.

        A stale response is always capped, because it may be outdated.
        """
        if self._cap_level is None:
            return None
        is_alias_url = request is None or request.is_alias_url
        cap_level = self._cap_level(is_alias_url) if fresh else capped_headers.ALL_CAPPED
        return (
            capped_headers.apply_capped_headers(headers, internal_lines, cap_level)
            if cap_level
            else None
        )


def _with_capped_detail(status: CacheStatus) -> CacheStatus:
    return status if status.detail else replace(status, detail="capped")


def _add_age(response: GatewayResponse, stored: StoredResponse, age: float, now: float) -> None:
    """Add Date, Expires and Age; `Age: 0` and the current date if the response resets its age."""
    if stored.resets_age and age < stored.lifetime:
        response.headers += _renewed_date_fields(int(now), stored.expires_after)
    else:
        response.headers += stored.date_fields
        response.headers.append(("Age", str(int(age))))


@lru_cache(maxsize=64)
def _renewed_date_fields(now: int, until: int | None) -> tuple[FieldLine, ...]:
    expires = () if until is None else (("Expires", dates.format_http_date(now + until)),)
    return (("Date", dates.format_http_date(now)), *expires, ("Age", "0"))
