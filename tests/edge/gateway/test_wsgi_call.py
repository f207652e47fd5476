"""Calls of WSGI applications: when the head is known, what the body yields, who closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway import wsgi_call
from app.edge.gateway.finding_key import FINDING_KEY
from app.edge.gateway.wsgi_call import (
    BodyReader,
    NoResponseError,
    ShortBodyError,
    call_application,
    measured,
    pass_through,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.edge.http.fields import FieldLine

OK = "200 OK"
HTML = [("Content-Type", "text/html")]


class Body:
    """An iterable that can be iterated from its start again, and counts that and its closing."""

    def __init__(self, *chunks: bytes | Exception, start: Callable[[], object] = int) -> None:
        self.chunks = chunks
        self.start = start
        self.iterations = 0
        self.close_count = 0

    def __iter__(self) -> Iterator[bytes]:
        self.iterations += 1
        for index, chunk in enumerate(self.chunks):
            if index == len(self.chunks) - 1:
                self.start()
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self) -> None:
        """Count the call."""
        self.close_count += 1


def call_late(body: Body) -> wsgi_call.OriginResponse:
    """Call an application whose body calls start_response just before its last chunk."""

    def app(_environ: Any, start_response: Any) -> Body:
        body.start = lambda: start_response(OK, HTML)
        return body

    return call_application(app, {}, clock=lambda: 0)


LATE = [(b"a",), (b"", b"a"), (b"", b"", b"a"), (b"",), (b"", b"")]


@pytest.mark.parametrize("chunks", LATE)
@pytest.mark.parametrize("spools", [False, True])
def test_a_late_start_reads_each_chunk_once(chunks: tuple[bytes, ...], spools: bool) -> None:
    """Empty chunks are skipped until start_response is called; nothing is read twice."""
    body = Body(*chunks)
    response = call_late(body)
    assert response.head.status == 200
    content = response.body.spool(9) if spools else b"".join(response.body.remaining())
    assert content == b"".join(chunks)
    assert body.iterations == 1
    assert body.close_count == spools


def test_a_chunk_before_the_start_is_an_error() -> None:
    """PEP 3333: start_response comes before the first byte. The body is closed."""
    body = Body(b"early", b"late")
    with pytest.raises(NoResponseError):
        call_late(body)
    assert body.close_count == 1


def test_a_body_that_fails_before_the_start_is_closed() -> None:
    """The error reaches the server."""
    body = Body(b"", OSError("down"))
    with pytest.raises(OSError, match="down"):
        call_late(body)
    assert body.close_count == 1


def test_an_application_can_not_start_twice_after_its_head_was_used() -> None:
    """Without exc_info the second call is an error of its own."""
    starts: list[Callable[[], object]] = []

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(OK, HTML)
        starts.append(lambda: start_response(OK, HTML))
        return [b"a"]

    call_application(app, {}, clock=lambda: 0)
    with pytest.raises(AssertionError, match="twice"):
        starts[0]()


def test_the_head_has_both_times_and_the_finding() -> None:
    """The first time is before the application runs, the second after it."""
    times = iter([1.0, 2.0])

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ[FINDING_KEY] = "session"
        start_response("404 Gone Fishing", HTML)
        return []

    response = call_application(app, {}, clock=lambda: next(times))
    head = response.head
    assert (head.status, head.reason, head.requested_at, head.received_at) == (
        404,
        "Gone Fishing",
        1.0,
        2.0,
    )
    assert response.finding == "session"


SPOOLED = [
    ((), 0, b""),
    ((b"abc",), 3, b"abc"),
    ((b"abc",), 2, None),
    ((b"ab", b"c"), 3, b"abc"),
    ((b"ab", b"c"), 2, None),
    ((b"ab", b"cd", b"ef"), 3, None),
]


@pytest.mark.parametrize(("chunks", "limit", "content"), SPOOLED)
@pytest.mark.parametrize("write_count", [0, 1, 2])
def test_a_body_is_spooled_up_to_its_limit(
    chunks: tuple[bytes, ...], limit: int, content: bytes | None, write_count: int
) -> None:
    """Written chunks count as well; of a larger body nothing is lost."""
    body = Body(*chunks[write_count:])
    reader = BodyReader(body, list(chunks[:write_count]))
    assert reader.spool(limit) == content
    assert body.close_count == (content is not None)
    if content is None:
        assert b"".join(reader.remaining()) == b"".join(chunks)


def test_a_large_body_is_not_read_further_than_its_limit() -> None:
    """The rest is read when the server sends it."""
    rest = iter([b"ab", b"cd", b"ef"])
    reader = BodyReader(rest, [])
    assert reader.spool(3) is None
    assert next(rest) == b"ef"


def test_an_error_while_spooling_is_raised_again_after_the_chunks() -> None:
    """The client gets what preceded it."""
    body = Body(b"ab", OSError("broke off"))
    reader = BodyReader(body, [b"0"])
    with pytest.raises(OSError, match="broke off"):
        reader.spool(99)
    chunks = iter(reader.remaining())
    assert [next(chunks), next(chunks)] == [b"0", b"ab"]
    with pytest.raises(OSError, match="broke off"):
        next(chunks)
    assert (body.iterations, body.close_count) == (1, 0)


def test_the_rest_is_the_own_iterable_only_if_nothing_was_read() -> None:
    """A server recognises its file wrapper by that. Closing the rest closes the iterable."""
    body = Body(b"a")
    assert BodyReader(body, []).remaining() is body
    rest = BodyReader(body, [b"0"]).remaining()
    assert rest is not body
    assert b"".join(rest) == b"0a"
    rest.close()  # type: ignore[attr-defined] # a body that was touched has one
    assert body.close_count == 1


class Wrapper:
    """The file wrapper of a server."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"abcdef"])


FILE = {"wsgi.file_wrapper": Wrapper}
UNMEASURED: list[tuple[Iterable[bytes], int | None, dict[str, Any]]] = [
    ([b"ab"], None, {}),
    ([b"ab"], -1, {}),
    ([b"ab"], None, FILE),
    (Wrapper(), 2, FILE),
    (Wrapper(), 2, FILE | {"REQUEST_METHOD": "GET"}),
]


@pytest.mark.parametrize(("body", "length", "environ"), UNMEASURED)
def test_a_file_or_a_body_without_a_length_is_not_measured(
    body: Iterable[bytes], length: int | None, environ: dict[str, Any]
) -> None:
    """The server gets the iterable itself."""
    assert measured(body, length, environ) is body


MEASURED: list[tuple[tuple[bytes, ...], int, bytes, int]] = [
    ((), 0, b"", 0),
    ((b"",), 0, b"", 0),
    ((b"a",), 0, b"", 0),
    ((b"ab",), 2, b"ab", 0),
    ((b"ab",), 1, b"a", 0),
    ((b"ab", b"cd"), 3, b"abc", 0),
    ((b"ab", b"cd", b"ef"), 2, b"ab", 0),
    ((b"ab",), 3, b"ab", 1),
    ((), 1, b"", 1),
    ((b"", b"ab", b""), 5, b"ab", 3),
]


@pytest.mark.parametrize(("chunks", "length", "content", "missing"), MEASURED)
@pytest.mark.parametrize("environ", [{}, FILE, {"wsgi.file_wrapper": lambda file: file}])
def test_a_body_has_exactly_its_length(
    chunks: tuple[bytes, ...], length: int, content: bytes, missing: int, environ: dict[str, Any]
) -> None:
    """A longer one is cut; a shorter one raises at its end, after it made the server send the head."""
    body = Body(*chunks)
    result = measured(body, length, environ)
    output = read_until_error(result, missing)
    assert b"".join(output) == content
    assert not missing or output[-1] == b""
    result.close()  # type: ignore[attr-defined] # a measured body has one
    assert body.close_count == 1


def read_until_error(body: Iterable[bytes], missing: int) -> list[bytes]:
    """Return all chunks of a body, which must raise at its end if bytes are missing."""
    chunks: list[bytes] = []
    iterator = iter(body)
    if not missing:
        return list(iterator)
    with pytest.raises(ShortBodyError, match=f"^{missing} bytes"):
        while True:
            chunks.append(next(iterator))
    return chunks


PASSED: dict[str, tuple[tuple[str, str], str | None, tuple[bytes, ...], bytes, int]] = {
    "right": (("GET", OK), "2", (b"ab",), b"ab", 0),
    "long": (("GET", OK), "2", (b"abc",), b"ab", 0),
    "short": (("GET", OK), "3", (b"ab",), b"ab", 1),
    "none": (("GET", OK), None, (b"ab", b"c"), b"abc", 0),
    "invalid": (("GET", OK), "x", (b"ab", b"c"), b"abc", 0),
    "zero": (("GET", OK), "0", (b"ab",), b"", 0),
    "HEAD": (("HEAD", OK), "9", (b"ab",), b"", 0),
    "HEAD without a length": (("HEAD", OK), None, (b"ab",), b"", 0),
    "HEAD without a body": (("HEAD", OK), "9", (), b"", 0),
    "204": (("POST", "204 No Content"), "2", (b"ab",), b"", 0),
    "304": (("GET", "304 Not Modified"), "9", (), b"", 0),
}


@pytest.mark.parametrize("way", ["returned", "write_count"])
@pytest.mark.parametrize(
    ("exchange", "length", "chunks", "content", "missing"), PASSED.values(), ids=PASSED
)
def test_a_body_that_is_passed_has_the_length_of_its_head(
    exchange: tuple[str, str],
    length: str | None,
    chunks: tuple[bytes, ...],
    content: bytes,
    missing: int,
    way: str,
) -> None:
    """A longer one is cut; HEAD, 204 and 304 have no body; a shorter one raises at its end."""
    method, status = exchange
    headers = [*HTML, *([] if length is None else [("Content-Length", length)])]
    write_count: list[bytes] = []
    bodies: list[Body] = []

    def app(_environ: Any, start_response: Any) -> Body:
        write = start_response(status, headers)
        if way == "write_count":
            for chunk in chunks[:1]:
                write(chunk)
        bodies.append(Body(*(chunks[1:] if way == "write_count" else chunks)))
        return bodies[0]

    def start(_status: str, _headers: list[FieldLine], _exc_info: Any = None) -> Any:
        return write_count.append

    body = pass_through(app, {"REQUEST_METHOD": method}, start, lambda _line, pairs: pairs)
    output = read_until_error(body, missing)
    assert b"".join([*write_count, *output]) == content
    getattr(body, "close", int)()
    assert bodies[0].close_count == 1


def test_a_late_start_is_measured_as_well() -> None:
    """The length is known only when the body begins."""
    body = Body(b"abc")

    def app(_environ: Any, start_response: Any) -> Body:
        body.start = lambda: start_response(OK, [*HTML, ("Content-Length", "2")])
        return body

    lines: list[FieldLine] = []

    def start(_status: str, headers: list[FieldLine], _exc_info: Any = None) -> Any:
        lines.extend(headers)
        return bytes

    result = pass_through(app, {"REQUEST_METHOD": "GET"}, start, lambda _line, pairs: pairs)
    assert b"".join(result) == b"ab"
    assert ("Content-Length", "2") in lines


@pytest.mark.parametrize("length", [None, "x"])
def test_a_body_without_a_length_is_passed_as_it_is(length: str | None) -> None:
    """So is a file of the server, with any length."""
    headers = [*HTML, *([] if length is None else [("Content-Length", length)])]
    for body, lines in (([b"abc"], headers), (Wrapper(), [*HTML, ("Content-Length", "2")])):

        def app(
            _environ: Any,
            start_response: Any,
            body: Iterable[bytes] = body,
            lines: list[FieldLine] = lines,
        ) -> Iterable[bytes]:
            start_response(OK, lines)
            return body

        environ = {"REQUEST_METHOD": "GET", **FILE}
        result = pass_through(app, environ, lambda *_: bytes, lambda _line, pairs: pairs)
        assert result is body
