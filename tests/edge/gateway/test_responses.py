"""Responses from the store: dates, ranges, boundaries and texts, byte by byte."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.edge.gateway.lru_set import LruSet
from app.edge.gateway.options import Options
from app.edge.gateway.response import build_text_response, close_body
from app.edge.http.dates import format_http_date
from tests.edge.gateway.scripted_origin import START, Stage, environ_for, get, says

LONG = "max-age=600"


def test_a_response_of_the_gateway_is_text_that_is_not_stored() -> None:
    """One sentence, with its length."""
    response = build_text_response("400 Bad Request", "caf\xe9")
    assert response.status_line == "400 Bad Request"
    assert response.headers == [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", "6"),
        ("Cache-Control", "no-store"),
    ]
    assert b"".join(response.body) == "caf\xe9\n".encode()


def test_several_ranges_are_parts_with_the_type_of_the_page() -> None:
    """RFC 9110 section 14.6: each part has its type and range, and the last boundary ends."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        headers = [("content-TYPE", "text/x; a=b"), ("Cache-Control", LONG), ("X-A", "c")]
        start_response("200 OK", headers)
        return [b"0123456789"]

    stage = Stage(app=app)
    stage.ask(get())
    answer = stage.ask(get(headers={"Range": "bytes=0-1,8-"}))
    assert (answer.status, answer.header("X-A")) == (206, "c")
    match = re.fullmatch(
        r"multipart/byteranges; boundary=([0-9a-f]{32})", answer.header("content-type") or ""
    )
    assert match is not None
    part = "--{0}\r\nContent-Type: {1}\r\nContent-Range: bytes {2}/10\r\n\r\n{3}\r\n"
    text = "".join(
        [
            part.format(match[1], "text/x; a=b", "0-1", "01"),
            part.format(match[1], "text/x; a=b", "8-9", "89"),
            f"--{match[1]}--\r\n",
        ]
    )
    assert answer.body.decode() == text
    lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
    assert lengths == [str(len(text))]


def test_a_page_keeps_its_reason() -> None:
    """A hit has the status line of the origin."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        headers = [("Cache-Control", LONG), ("Content-Type", "text/html")]
        start_response("200 All Right", headers)
        return [b"page"]

    stage = Stage(app=app)
    lines: list[str] = []
    for _ in range(2):
        stage.gateway(
            environ_for(get()),
            lambda status, *_: lines.append(status) or bytes,  # type: ignore[func-returns-value] # append returns None
        )
    assert lines == ["200 All Right", "200 All Right"]


@pytest.mark.parametrize(
    ("last_modified", "date", "since", "status"),
    [
        (-100, 0, -100, 304),
        (-100, 0, -101, 200),
        (-100, 0, -50, 304),
        (None, -10, -10, 304),
        (None, -10, -11, 200),
        (None, None, 0, 304),
        (None, None, -1, 200),
    ],
)
def test_a_date_is_compared_with_the_best_date_that_is_stored(
    last_modified: float | None, date: float | None, since: float, status: int
) -> None:
    """RFC 9111 section 4.3.2: Last-Modified, else Date, else the time of arrival."""
    stage = Stage()
    also = (
        []
        if last_modified is None
        else [("Last-Modified", format_http_date(START + last_modified))]
    )
    stage.play(get(says(cache_control=LONG, also=also, date=date)))
    headers = {"If-Modified-Since": format_http_date(START + since)}
    stage.play(get(at=1, headers=headers, status=status, cache="hit"))


@pytest.mark.parametrize(("back", "cache"), [(60, "hit"), (61, "fwd=stale; stored")])
def test_a_page_from_the_future_is_used_within_a_minute(back: int, cache: str) -> None:
    """More than a minute means that the clock was set back."""
    stage = Stage()
    page = says(cache_control=LONG)
    stage.play(get(page))
    stage.clock.now = START - back
    stage.origin.script[:] = [page]
    assert stage.ask(get()).cache.startswith(cache)


def test_a_body_without_close_is_closed_as_well() -> None:
    """A list needs no call; a body that has the method gets one."""
    close_body([b"a"])
    calls: list[bool] = []

    class Body:
        def __iter__(self) -> Any:
            return iter(())

        def close(self) -> None:
            calls.append(True)

    close_body(Body())
    assert calls == [True]


def test_a_bounded_set_discards_the_key_that_was_added_longest_ago() -> None:
    """Adding a key again makes it new."""
    keys = LruSet(limit=2)
    for key in (b"a", b"b", b"a", b"c"):
        keys.add(key)
    assert [key in keys for key in (b"a", b"b", b"c")] == [True, False, True]
    keys.discard(b"a")
    keys.discard(b"a")
    keys.add(b"d")
    assert [key in keys for key in (b"a", b"c", b"d")] == [False, True, True]


def test_no_purge_fails_for_a_request_without_a_key() -> None:
    """A successful POST to an address that no page can have changes no page."""
    stage = Stage()
    answer = says(b"done", location="/a")
    stage.play(get(answer, method="POST", headers={"Host": "a b"}, body=b"done"))


WITHHELD = {
    "accept-encoding": (Options(compress=True), Options()),
    "cache-control": (Options.shield(), Options()),
    "pragma": (Options.shield(), Options()),
    "content-type": (Options(), None),
    "x-forwarded-host": (Options(), Options(withheld_fields=frozenset())),
}


@pytest.mark.parametrize("name", WITHHELD)
def test_some_fields_are_withheld_from_the_origin(name: str) -> None:
    """The fields of the options, and fields that the options make meaningless."""
    withheld_by, seen_by = WITHHELD[name]
    assert name in withheld_by.all_withheld_fields
    assert seen_by is None or name not in seen_by.all_withheld_fields


@pytest.mark.parametrize("fraction", [0, 0.5, 1])
def test_a_heuristic_fraction_is_between_its_bounds(fraction: float) -> None:
    """Both bounds are allowed."""
    assert Options(heuristic_fraction=fraction).heuristic_fraction == fraction


def test_a_shield_obeys_one_directive_of_a_reader() -> None:
    """`only-if-cached` asks for nothing that costs the origin a request."""
    assert Options.shield().obeyed_request_directives == {"only-if-cached"}
