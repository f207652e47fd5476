"""A Flask request that records which headers, parameters and other inputs a view reads.

Recording begins when Flask sends `request_started` and ends when the guard checks the response, so
that Flask's own reads don't count. Reads of `request.environ` itself are not recorded.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import EnvironHeaders, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..dependencies.read_places import ReadPlaces

_BY_HEADER = {"cookie": "cookie-read", "authorization": "authorization-read"}


class RequestReads:
    """The inputs that were read from one request: reason codes, query parameters, headers.

    `places` is None in production; else it gets the line of each read.
    """

    __slots__ = ("headers", "is_recording", "places", "query", "reason_codes")

    def __init__(self) -> None:
        self.is_recording = False
        self.places: ReadPlaces | None = None
        self.reason_codes: set[str] = set()
        self.query: set[str] = set()
        self.headers: set[str] = set()

    def add_reason(self, code: str) -> None:
        """Record that something private was read; `code` is a key of the guard's LEAK_REASONS."""
        if self.is_recording:
            self.reason_codes.add(code)
            if self.places is not None:
                self.places.add(code)

    def record_header(self, name: str) -> None:
        """Record that a header was read, even if the request does not have it."""
        if self.is_recording:
            name = name.lower()
            if name in _BY_HEADER:
                self.add_reason(_BY_HEADER[name])
            else:
                self.headers.add(name)
                if self.places is not None:
                    self.places.add(f"header {name}")

    def record_parameters(self, names: Iterable[str]) -> None:
        """Record that query parameters were read."""
        if self.is_recording and self.places is None:
            self.query.update(names)
        elif self.is_recording:
            self._record_parameter_places(list(names))

    def _record_parameter_places(self, names: list[str]) -> None:
        assert self.places is not None
        self.query.update(names)
        for name in names:
            self.places.add(f"query {name}")


class TrackedHeaders(EnvironHeaders):
    """Request headers that record which of them are read."""

    def __init__(self, environ: dict[str, Any], reads: RequestReads) -> None:
        super().__init__(environ)
        self._reads = reads

    def _get_key(self, key: str) -> str:
        self._reads.record_header(key)
        return super()._get_key(key)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name, value in super().__iter__():
            self._reads.record_header(name)
            yield name, value

    def getlist(self, key: str, type: Any = None) -> Any:  # noqa: A002 - Werkzeug's name
        """Return the header's value in a list; WSGI joins repeated headers into one."""
        value = self.get(key) if type is None else self.get(key, type=type)
        return [] if value is None else [value]


class TrackedArgs(ImmutableMultiDict[str, str]):
    """Query parameters that record which of them are read."""

    def __init__(self, pairs: Iterable[tuple[str, str]], reads: RequestReads) -> None:
        super().__init__(pairs)
        self._reads = reads

    def __contains__(self, key: object) -> bool:
        self._reads.record_parameters([str(key)])
        return super().__contains__(key)

    def __getitem__(self, key: str) -> str:
        self._reads.record_parameters([key])
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        for key in super().__iter__():
            self._reads.record_parameters([key])
            yield key

    def getlist(self, key: str, type: Any = None) -> Any:  # noqa: A002 - Werkzeug's name
        """Return all values of one parameter."""
        self._reads.record_parameters([key])
        return super().getlist(key) if type is None else super().getlist(key, type)

    def keys(self) -> Any:
        """Return the names, all of which count as read."""
        self._reads.record_parameters(super().__iter__())
        return super().keys()

    def values(self) -> Any:
        """Return the values, all of which count as read."""
        self._reads.record_parameters(super().__iter__())
        return super().values()

    def items(self, multi: bool = False) -> Any:  # noqa: FBT001, FBT002 - Werkzeug's signature
        """Return names and values, all of which count as read."""
        self._reads.record_parameters(super().__iter__())
        return super().items(multi)

    def lists(self) -> Any:
        """Return names with their lists, all of which count as read."""
        self._reads.record_parameters(super().__iter__())
        return super().lists()

    def listvalues(self) -> Any:
        """Return the lists of values, all of which count as read."""
        self._reads.record_parameters(super().__iter__())
        return super().listvalues()

    def deepcopy(self, memo: Any = None) -> Any:
        """Return an ordinary copy; all parameters count as read."""
        del memo  # strings are immutable
        return ImmutableMultiDict(list(self.items(multi=True)))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ImmutableMultiDict, (list(self.items(multi=True)),)


class TrackedRequest(Request):
    """A Flask request that records its reads for the guard."""

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        self.edge_reads = RequestReads()
        self._address: str | None = None
        self._args: TrackedArgs | None = None
        self._query = b""
        super().__init__(environ, *args, **options)
        self.headers = TrackedHeaders(environ, self.edge_reads)

    @property
    def args(self) -> TrackedArgs:
        """The query parameters."""
        args = self._args
        if args is None:
            # Parsed here: Werkzeug would read `query_string`, which counts as reading all.
            pairs = parse_qsl(
                self._query.decode(), keep_blank_values=True, errors="werkzeug.url_quote"
            )
            args = self._args = TrackedArgs(pairs, self.edge_reads)
        return args

    @property
    def query_string(self) -> bytes:
        """The query as sent or as set by `replace_query`; all parameters count as read."""
        if self.edge_reads.is_recording:
            pairs = parse_qsl(self._query.decode(errors="replace"), keep_blank_values=True)
            self.edge_reads.record_parameters(name for name, _ in pairs)
        return self._query

    @query_string.setter
    def query_string(self, query: bytes) -> None:
        self._query = query

    def replace_query(self, query: str) -> None:
        """Replace the query string that the app sees."""
        self._query = query.encode()
        self._args = None
        for name in ("full_path", "url"):
            self.__dict__.pop(name, None)

    @property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies; reading them makes the page private."""
        self.edge_reads.add_reason("cookie-read")
        return super().cookies

    @property
    def remote_addr(self) -> str | None:
        """The reader's address; reading it makes the page private."""
        self.edge_reads.add_reason("client-read")
        return self._address

    @remote_addr.setter
    def remote_addr(self, address: str | None) -> None:
        self._address = address

    @property
    def remote_user(self) -> str | None:  # type: ignore[override]  # Werkzeug's annotation lacks None
        """The reader's name; reading it makes the page private."""
        self.edge_reads.add_reason("client-read")
        name: str | None = self.environ.get("REMOTE_USER")
        return name

    @property
    def stream(self) -> IO[bytes]:
        """The body of the request, which is not part of a cache key."""
        self.edge_reads.add_reason("body-read")
        return super().stream

    def replace_accept_language(self, language: str) -> None:
        """Replace the Accept-Language that the app sees, also if the request has none."""
        self.environ["HTTP_ACCEPT_LANGUAGE"] = language
        self.__dict__.pop("accept_languages", None)


def get_request_reads(request: Request) -> RequestReads:
    """Return the recorded reads of a request; another request class counts as a leak."""
    reads = getattr(request, "edge_reads", None)
    if isinstance(reads, RequestReads):
        return reads
    unknown = RequestReads()
    unknown.reason_codes.add("request-untracked")
    return unknown


def track_request_class(request_class: type) -> type[Any]:
    """Return a subclass of the app's request class that records reads."""
    if issubclass(request_class, TrackedRequest):
        return request_class
    return type("EdgeRequest", (TrackedRequest, request_class), {})
