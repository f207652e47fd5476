"""Asked: one question to the application, from before it is put until its answer is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..http.cache_status import CacheStatus

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from .lookup import LookupResult
    from .request import Request

_CONDITIONS: Final = (
    ("etag", "HTTP_IF_NONE_MATCH"),
    ("last-modified", "HTTP_IF_MODIFIED_SINCE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """Who asks for which page, what was found of it before, and the token from before."""

    request: Request
    key: bytes
    lookup_result: LookupResult
    purge_token: int
    #: Nobody shares the answer, so the application may see the reader's own conditions.
    is_private: bool = False

    def build_status(self, **parameters: object) -> CacheStatus:
        """Return what became of it, beside why it was put at all."""
        return CacheStatus(fwd=self.lookup_result.fwd, **parameters)  # type: ignore[arg-type] # names of its fields

    @property
    def forwards_conditions(self) -> bool:
        """Tell whether the application sees the reader's own conditions or Range.

        Its response is then for this reader: it may be a part of the page, a 304 or a 416, and
        a 200 may have been chosen by the conditions. It is never stored.
        """
        if self.lookup_result.stored is not None or not self.request.is_conditional:
            return False
        return self.request.fetches_head_only or self.is_private

    def build_environ(self) -> WSGIEnvironment:
        """Return what the application is asked: with our validators, not with the reader's."""
        request, stored = self.request, self.lookup_result.stored
        if stored is None:
            return request.environ_for_origin(conditions=self.forwards_conditions)
        environ = request.environ_for_origin()
        if not request.fetches_head_only:
            fields = stored.fields
            for name, variable in _CONDITIONS:
                value = fields.first(name)
                if value is not None:
                    environ[variable] = value
        return environ
