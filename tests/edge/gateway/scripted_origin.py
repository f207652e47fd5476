"""A scripted origin and the language of the table: what is asked when, said by the origin, seen.

A case is a list of steps over one gateway; each step is one request at a number of seconds after
the first. The same case is driven by a WSGI call and over sockets.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict
from wsgiref.validate import validator

from app.edge.gateway.gateway import Gateway
from app.edge.gateway.store.memory import MemoryStore
from app.edge.http import dates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.edge.gateway.options import Options

Pair = tuple[str, str]

#: When each case begins: Sun, 06 Nov 1994 08:49:37 GMT.
START = 784111777.0


#: The longest a test waits for what runs in the background.
BOUND = timedelta(seconds=10)
#: Methods that wsgiref's checker warns of.
UNCHECKED = frozenset({"M-SEARCH", "UNKNOWN", "PROPFIND"})


class Clock:
    """A clock that advances only when a test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass(frozen=True, kw_only=True)
class ScriptedResponse:
    """One response of the origin. `date` is seconds from now, None for no Date."""

    status: int = 200
    headers: tuple[Pair, ...] = ()
    body: bytes = b"page"
    date: float | None = 0
    length: int | None = None
    breaks: bool = False
    fails: bool = False
    takes: float = 0


class Fields(TypedDict, total=False):
    """Header fields that several responses share, for `says(**LONG)`."""

    broadsheet_cache_control: str
    cache_control: str
    vary: str


def pairs(headers: Mapping[str, str]) -> list[Pair]:
    """Return header fields from names like `cache_control`."""
    return [(name.replace("_", "-").title(), value) for name, value in headers.items()]


def says(
    body: bytes = b"page",
    *,
    status: int = 200,
    date: float | None = 0,
    also: Iterable[Pair] = (),
    length: int | None = None,
    breaks: bool = False,
    fails: bool = False,
    takes: float = 0,
    **headers: str,
) -> ScriptedResponse:
    """Build a response: `says(b"text", cache_control="max-age=60", also=[("Vary", "A")])`."""
    return ScriptedResponse(
        status=status,
        headers=(*pairs(headers), *also),
        body=body,
        date=date,
        length=length,
        breaks=breaks,
        fails=fails,
        takes=takes,
    )


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request and its expected response; a field that is None is not checked."""

    at: float = 0
    method: str = "GET"
    target: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    origin: tuple[ScriptedResponse, ...] = ()
    status: int = 200
    body: bytes | None = None
    cache: str | None = None
    stored: bool | None = None
    age: int | None = None
    response_headers: Mapping[str, str | None] = field(default_factory=dict)
    origin_headers: Mapping[str, str | None] = field(default_factory=dict)
    parts: list[tuple[str, bytes]] | None = None
    purge: str | None = None


def get(
    *origin: ScriptedResponse,
    status: int = 200,
    target: str = "/",
    method: str = "GET",
    **more: Any,
) -> Step:
    """Build a request; the origin must be called exactly once per given response."""
    return Step(origin=origin, status=status, target=target, method=method, **more)


@dataclass(frozen=True, kw_only=True)
class Received:
    """A response as the client received it."""

    status: int
    headers: tuple[Pair, ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return all lines of a field, joined; None if there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def cache(self) -> str:
        """Return our member of Cache-Status, without our name."""
        return (self.header("cache-status") or "").rpartition("broadsheet; ")[2]

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """Return the ranges and contents of multipart/byteranges."""
        head = f"Content-Type: {self.header('content-type')}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        assert message.get_content_type() == "multipart/byteranges"
        assert message["Content-Length"] in {None, str(len(self.body))}
        parts: list[Any] = list(message.iter_parts())
        return [(part["Content-Range"], part.get_payload(decode=True)) for part in parts]


@dataclass(kw_only=True)
class Origin:
    """A WSGI application that sends the scripted responses and records the environs."""

    clock: Clock
    script: list[ScriptedResponse] = field(default_factory=list)
    environs: list[dict[str, Any]] = field(default_factory=list)
    closed_bodies: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Send the next response of the script."""
        with self.lock:
            self.environs.append(dict(environ))
            answer = self.script.pop(0) if self.script else says(b"unasked", status=599)
        self.clock.now += answer.takes
        if answer.fails:
            raise OSError("The origin is down.")
        start_response(f"{answer.status} Scripted", self.head(answer))
        return self.body(environ, answer)

    def head(self, answer: ScriptedResponse) -> list[Pair]:
        """Return the header list with the requested Date and length."""
        pairs = list(answer.headers)
        if answer.date is not None:
            pairs.append(("Date", dates.format_http_date(self.clock.now + answer.date)))
        if answer.status not in {204, 304} and not any(n == "Content-Type" for n, _ in pairs):
            pairs.append(("Content-Type", "text/html"))
        if answer.length is not None:
            pairs.append(("Content-Length", str(answer.length)))
        return pairs

    def body(self, environ: dict[str, Any], answer: ScriptedResponse) -> Iterable[bytes]:
        """Yield the body in two pieces, or raise between them."""
        try:
            if environ["REQUEST_METHOD"] != "HEAD" and answer.status not in {204, 304}:
                half = len(answer.body) // 2
                yield answer.body[:half]
                if answer.breaks:
                    raise OSError("The origin broke off.")
                yield answer.body[half:]
        finally:
            self.closed_bodies += 1


def environ_for(step: Step) -> dict[str, Any]:
    """Return the WSGI environ of a step, as a server would build it."""
    path, _, query = step.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": step.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "example.org",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(step.content),
        "wsgi.errors": _Errors(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if step.content:
        environ["CONTENT_LENGTH"] = str(len(step.content))
    for name, value in step.headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def ignore_start(
    _status: str, _headers: list[Pair], _exc_info: object = None, /
) -> Callable[[bytes], object]:
    """Accept the start of a response that a test does not look at."""
    return bytes


class _Errors:
    """The wsgi.errors stream, to which nothing must be written."""

    def write(self, text: str) -> None:
        raise AssertionError(text)

    def writelines(self, lines: Iterable[str]) -> None:
        raise AssertionError(list(lines))

    def flush(self) -> None:
        """Do nothing."""


def call(app: Any, step: Step) -> Received:
    """Send the request of a step as a WSGI call that is checked against PEP 3333."""
    started: list[Any] = []

    def start_response(status: str, headers: list[Pair], _exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return lambda _: None

    checked = app if step.method in UNCHECKED else validator(app)
    result = checked(environ_for(step), start_response)
    try:
        body = b"".join(result)
    finally:
        getattr(result, "close", int)()
    status, headers = started
    return Received(status=int(status[:3]), headers=tuple(headers), body=body)


class Stage:
    """A gateway in front of a scripted origin, with its own clock."""

    def __init__(self, options: Options | None = None, **more: Any) -> None:
        self.clock = Clock()
        self.origin = Origin(clock=self.clock)
        self.store = more.pop("store", None) or MemoryStore()
        self.gateway = Gateway(
            more.pop("app", self.origin),
            store=self.store,
            options=options,
            clock=self.clock,
            **more,
        )

    def ask(self, step: Step) -> Received:
        """Send one request."""
        return call(self.gateway, step)

    def play(self, step: Step, send: Callable[[Step], Received] | None = None) -> Received:
        """Send one request at its time and check the expectations."""
        self.clock.now = max(self.clock.now, START + step.at)
        self.origin.script[:] = step.origin
        del self.origin.environs[:]
        if step.purge is not None:
            self.gateway.purge(step.purge)
        response = (send or self.ask)(step)
        assert self.gateway.drain(BOUND)
        check(step, response, self.origin)
        return response


def check(step: Step, response: Received, origin: Origin) -> None:
    """Compare the response, and the requests to the origin, with the expectations."""
    story = f"{step.method} {step.target} at {step.at}: {response}"
    assert len(origin.environs) == len(step.origin), f"asked {len(origin.environs)} times; {story}"
    assert response.status == step.status, story
    assert response.header("cache-status"), story
    if step.body is not None:
        assert response.body == step.body, story
    if step.cache is not None:
        assert response.cache.startswith(step.cache), story
    if step.stored is not None:
        assert ("stored" in response.cache.split("; ")) is step.stored, story
    if step.age is not None:
        assert response.header("age") == str(step.age), story
    if step.parts is not None:
        assert response.parts == step.parts, story
    for name, value in step.response_headers.items():
        assert response.header(name) == value, f"{name}: {story}"
    for name, value in step.origin_headers.items():
        variable = "HTTP_" + name.upper().replace("-", "_")
        assert origin.environs[-1].get(variable) == value, f"{name}: {story}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Steps over one gateway, named after the section that requires them."""

    id: str
    steps: tuple[Step, ...]
    options: Options | None = None


def case(name: str, *steps: Step, options: Options | None = None) -> Case:
    """Name a row of the table."""
    return Case(id=name, steps=steps, options=options)
