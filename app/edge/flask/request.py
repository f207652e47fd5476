"""A request that notes what a view reads of it.

Recording begins when Flask hands the request to the app and ends when the response is judged,
so that Flask's own reads don't count. What is read from `request.environ` itself is not seen.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import EnvironHeaders, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BY_HEADER = {"cookie": "cookie-read", "authorization": "authorization-read"}


class RequestReads:
    """What was read of one request: reasons, query parameters, headers."""

    __slots__ = ("headers", "is_recording", "query", "reason_codes")

    def __init__(self) -> None:
        self.is_recording = False
        self.reason_codes: set[str] = set()
        self.query: set[str] = set()
        self.headers: set[str] = set()

    def add_reason(self, code: str) -> None:
        """Note that something of one reader was read; `code` is one of the guard's reasons."""
        if self.is_recording:
            self.reason_codes.add(code)

    def record_header(self, name: str) -> None:
        """Note that a header was asked for, whether it is there or not."""
        if self.is_recording:
            name = name.lower()
            if name in _BY_HEADER:
                self.reason_codes.add(_BY_HEADER[name])
            else:
                self.headers.add(name)

    def record_parameters(self, names: Iterable[str]) -> None:
        """Note that query parameters were asked for."""
        if self.is_recording:
            self.query.update(names)


class TrackedHeaders(EnvironHeaders):
    """Request headers that note which of them are asked for."""

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
        """Return the header's values in a list; browsers send each of ours once."""
        value = self.get(key) if type is None else self.get(key, type=type)
        return [] if value is None else [value]


class TrackedArgs(ImmutableMultiDict[str, str]):
    """Query parameters that note which of them are asked for."""

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
        """Return a copy that notes nothing: all of it counts as read."""
        del memo  # texts are not copied
        return ImmutableMultiDict(list(self.items(multi=True)))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return ImmutableMultiDict, (list(self.items(multi=True)),)


class TrackedRequest(Request):
    """A Flask request whose reads the guard can ask for."""

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
            # Parsed here, since Werkzeug would read the whole query on behalf of the view.
            pairs = parse_qsl(
                self._query.decode(), keep_blank_values=True, errors="werkzeug.url_quote"
            )
            args = self._args = TrackedArgs(pairs, self.edge_reads)
        return args

    @property
    def query_string(self) -> bytes:
        """The query as it was sent, or as `show_query` made it; all of it counts as read."""
        if self.edge_reads.is_recording:
            pairs = parse_qsl(self._query.decode(errors="replace"), keep_blank_values=True)
            self.edge_reads.record_parameters(name for name, _ in pairs)
        return self._query

    @query_string.setter
    def query_string(self, query: bytes) -> None:
        self._query = query

    def replace_query(self, query: str) -> None:
        """Let the app see this query in place of the one that was sent."""
        self._query = query.encode()
        self._args = None
        for name in ("full_path", "url"):
            self.__dict__.pop(name, None)

    @property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies, which no shared page may look at."""
        self.edge_reads.add_reason("cookie-read")
        return super().cookies

    @property
    def remote_addr(self) -> str | None:
        """The reader's address, which no shared page may look at."""
        self.edge_reads.add_reason("client-read")
        return self._address

    @remote_addr.setter
    def remote_addr(self, address: str | None) -> None:
        self._address = address

    @property
    def remote_user(self) -> str | None:  # type: ignore[override]  # Werkzeug forgets the None
        """The reader's name, which no shared page may look at."""
        self.edge_reads.add_reason("client-read")
        name: str | None = self.environ.get("REMOTE_USER")
        return name

    @property
    def stream(self) -> IO[bytes]:
        """The body of the request, which is no part of a cache key."""
        self.edge_reads.add_reason("body-read")
        return super().stream


def get_request_reads(request: Request) -> RequestReads:
    """Return what was read of a request; of a foreign request class nobody knows, so it leaks."""
    reads = getattr(request, "edge_reads", None)
    if isinstance(reads, RequestReads):
        return reads
    unknown = RequestReads()
    unknown.reason_codes.add("request-untracked")
    return unknown


def track_request_class(request_class: type) -> type[Any]:
    """Return a request class as an app has it, with reads that are noted."""
    if issubclass(request_class, TrackedRequest):
        return request_class
    return type("EdgeRequest", (TrackedRequest, request_class), {})
