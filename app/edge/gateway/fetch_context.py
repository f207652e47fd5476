"""The data of one fetch from the application, used until its response is sent."""

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
    """The request, its key, the lookup result and the purge token read before the fetch."""

    request: Request
    key: bytes
    lookup_result: LookupResult
    purge_token: int
    #: The response is for this reader only, so the application may see the reader's conditions.
    is_private: bool = False

    def build_status(self, **parameters: object) -> CacheStatus:
        """Return the Cache-Status of this fetch: the reason for forwarding and `parameters`."""
        return CacheStatus(fwd=self.lookup_result.fwd, **parameters)  # type: ignore[arg-type] # names of its fields

    @property
    def forwards_conditions(self) -> bool:
        """Return whether the application sees the reader's conditions or Range.

        Its response is then never stored: it may be a 206, 304 or 416, and even a 200 may depend
        on the conditions.
        """
        if self.lookup_result.stored is not None or not self.request.is_conditional:
            return False
        return self.request.fetches_head_only or self.is_private

    def build_environ(self) -> WSGIEnvironment:
        """Return the environ for the application, with the stored validators, not the reader's."""
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
