"""Header lines of a stored page: what is stored, what a 304 changes, what each reader gets."""

from __future__ import annotations

from typing import Any

import pytest

from app.edge.gateway.options import Options
from tests.edge.gateway.scripted_origin import Stage, call, environ_for, get, says

OWN = "Broadsheet-Cache-Control"
BR = {"Accept-Encoding": "br"}
COMPRESSED = Options(compress=True, min_compress_size=1)


def not_modified(**headers: Any) -> Any:
    """Return a 304 that confirms the tag "a"."""
    return says(status=304, **{"etag": '"a"', **headers})


def test_a_304_never_changes_the_length_of_the_page() -> None:
    """RFC 9111 section 3.2: the stored body has its own length."""
    stage = Stage()
    stage.play(get(says(b"page", cache_control="max-age=10", etag='"a"')))
    answer = not_modified(also=[("Content-Length", "99")], cache_control="max-age=60")
    stage.play(get(answer, at=20, body=b"page", response_headers={"Content-Length": "4"}))
    stage.play(get(at=21, body=b"page", cache="hit", response_headers={"Content-Length": "4"}))


def test_a_304_may_change_the_tag() -> None:
    """The new tag is sent to readers and used for the next validation."""
    stage, new = Stage(), 'W/"a"'
    stage.play(get(says(b"page", cache_control="max-age=10", etag='"a"')))
    stage.play(get(not_modified(etag=new), at=20, response_headers={"ETag": new}))
    stage.play(get(not_modified(etag=new), at=40, origin_headers={"If-None-Match": new}))


def test_a_304_without_a_tag_keeps_the_tag() -> None:
    """It confirms the page by its date."""
    stage = Stage()
    date_lines = [("Last-Modified", "Sun, 06 Nov 1993 08:49:37 GMT")]
    stage.play(get(says(b"page", cache_control="max-age=10", etag='"a"', also=date_lines)))
    answer = says(status=304, also=date_lines, cache_control="max-age=60")
    stage.play(get(answer, at=20, response_headers={"ETag": '"a"'}))
    stage.play(get(at=21, cache="hit", response_headers={"ETag": '"a"'}))


def test_a_304_stores_no_field_of_one_request() -> None:
    """Neither a configured one nor one that `private` names."""
    stage = Stage(Options(per_request_fields=frozenset({"x-request-id"})))
    stage.play(get(says(b"page", cache_control="max-age=10", etag='"a"')))
    control = 'max-age=60, private="x-mine"'
    answer = not_modified(x_request_id="2", x_mine="me", cache_control=control, x_all="yes")
    stage.play(get(answer, at=20, response_headers={"X-Request-Id": "2", "X-Mine": "me"}))
    fields = {"X-Request-Id": None, "X-Mine": None, "X-All": "yes"}
    stage.play(get(at=21, cache="hit", response_headers=fields))


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_304_keeps_the_codings_of_the_page(is_packed: bool) -> None:
    """Vary stays, whether the page was compressed before or is still to be compressed."""
    stage = Stage(COMPRESSED)
    page = says(b"a" * 999, cache_control="max-age=10", etag='"a"')
    if is_packed:
        stage.play(get(page))
    else:
        stage.origin.script[:] = [page]
        # Without close() the page is not compressed yet.
        stage.gateway(environ_for(get()), lambda *_: bytes)
        stage.gateway._compressor._open_bodies = 0
    stage.clock.now += 20
    stage.origin.script[:] = [not_modified(cache_control="max-age=60")]
    assert call(stage.gateway, get()).header("Vary") == "Accept-Encoding"
    hit = call(stage.gateway, get(headers=BR))
    assert hit.header("Vary") == "Accept-Encoding"
    assert hit.cache.startswith("hit")
    assert call(stage.gateway, get(headers=BR)).header("Content-Encoding") == "br"


@pytest.mark.parametrize("body", [b"a", b"a" * 999])
def test_a_page_that_is_not_compressed_does_not_vary(body: bytes) -> None:
    """After a 304 as before it."""
    stage = Stage()
    stage.play(get(says(body, cache_control="max-age=10", etag='"a"')))
    stage.play(get(not_modified(), at=20, response_headers={"Vary": None}))


def test_internal_fields_of_one_request_reach_no_reader() -> None:
    """Even if `private` names them."""
    stage = Stage(Options(per_request_fields=frozenset({"xkey", "x-request-id"})))
    control = 'max-age=60, private="Surrogate-Key"'
    hidden_fields = {"Surrogate-Key": None, "Xkey": None, "X-REQUEST-ID": "1"}
    also = [("SURROGATE-KEY", "a"), ("XKEY", "b"), ("X-REQUEST-ID", "1")]
    stage.play(get(says(cache_control=control, also=also), response_headers=hidden_fields))
    stage.play(get(at=1, cache="hit", response_headers={**hidden_fields, "X-REQUEST-ID": None}))


DOWNSTREAM: list[tuple[dict[str, str], bool]] = [
    ({"Cache-Control": "max-age=60"}, True),
    ({"Cache-Control": "s-maxage=60"}, True),
    ({"Cache-Control": "max-age=0, s-maxage=60"}, True),
    ({"Cache-Control": "max-age=60, s-maxage=0"}, True),
    ({"Cache-Control": "max-age=0"}, False),
    ({"Cache-Control": "no-cache"}, False),
    ({"Cache-Control": "no-cache", "CDN-Cache-Control": "max-age=60"}, True),
    ({"Cache-Control": "no-cache", "X-Accel-Expires": "60"}, True),
    ({"Cache-Control": "no-cache", "Surrogate-Control": "max-age=60"}, False),
]


@pytest.mark.parametrize(("headers", "resets"), DOWNSTREAM)
def test_the_age_is_reset_for_caches_that_may_store_the_page(
    headers: dict[str, str], resets: bool
) -> None:
    """A field that the gateway keeps for itself tells no other cache anything."""
    stage = Stage(Options(reset_age=True))
    also = [(OWN, "max-age=600, purged"), *headers.items()]
    stage.play(get(says(also=also), stored=True))
    stage.play(get(at=9, cache="hit", age=0 if resets else 9))


@pytest.mark.parametrize(
    ("options", "own", "resets"),
    [
        (Options(reset_age=True), "max-age=60, purged", True),
        (Options(reset_age=True), "max-age=60", False),
        (Options(), "max-age=60, purged", False),
    ],
)
def test_the_age_is_reset_if_every_change_purges_the_page(
    options: Options, own: str, resets: bool
) -> None:
    """Only the gateway's own field can promise that; a stale page has its age."""
    stage = Stage(options)
    also = [(OWN, f"{own}, stale-while-revalidate=600"), ("Cache-Control", "max-age=60")]
    page = says(also=also, expires="Sun, 06 Nov 1994 08:50:37 GMT")
    stage.play(get(page, stored=True))
    answer = stage.play(get(at=30, cache="hit; ttl=30", age=0 if resets else 30))
    assert answer.header("Date") == f"Sun, 06 Nov 1994 08:{'50:07' if resets else '49:37'} GMT"
    assert answer.header("Expires") == f"Sun, 06 Nov 1994 08:{'51:07' if resets else '50:37'} GMT"
    stage.origin.script[:] = [page]
    stage.clock.now += 30
    assert stage.ask(get()).header("Age") == "60"


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_304_with_another_vary_keeps_the_codings_apart(is_packed: bool) -> None:
    """The gateway's own codings stay a reason to vary."""
    stage = Stage(COMPRESSED)
    page = says(b"a" * 999, cache_control="max-age=10", etag='"a"')
    stage.origin.script[:] = [page]
    body = stage.gateway(environ_for(get()), lambda *_: bytes)
    if is_packed:
        body.close()  # type: ignore[attr-defined] # closing it compresses the page
    stage.clock.now += 20
    stage.origin.script[:] = [not_modified(cache_control="max-age=60", vary="X-A")]
    stage.gateway(environ_for(get()), lambda *_: bytes)
    assert call(stage.gateway, get(headers=BR)).header("Vary") == "X-A, Accept-Encoding"


def test_a_304_sends_no_internal_field() -> None:
    """Even if `private` names it."""
    stage = Stage()
    stage.play(get(says(b"page", cache_control="max-age=10", etag='"a"')))
    control = 'max-age=60, private="surrogate-key, x-mine"'
    answer = not_modified(cache_control=control, also=[("Surrogate-KEY", "a"), ("X-Mine", "b")])
    stage.play(get(answer, at=20, response_headers={"Surrogate-Key": None, "X-Mine": "b"}))


@pytest.mark.parametrize("compress", [False, True])
def test_a_coding_selects_a_page_if_the_origin_compresses(compress: bool) -> None:
    """A gateway that compresses by itself asks the origin for one form only."""
    stage = Stage(Options(compress=compress, min_compress_size=10_000))
    page = says(b"page", cache_control="max-age=60", vary="X-A, Accept-Encoding")
    stage.play(get(page, headers={"Accept-Encoding": "br", "X-A": "1"}))
    answers = [] if compress else [page]
    stage.play(get(*answers, at=1, headers={"Accept-Encoding": "x", "X-A": "1"}))
    stage.play(get(page, at=2, headers={"Accept-Encoding": "br", "X-A": "2"}))


def test_a_page_that_its_origin_compresses_is_not_compressed_again() -> None:
    """Each coding of such a path is a variant."""
    options = Options(compress=True, min_compress_size=1, is_encoded_by_origin=lambda _path: True)
    stage = Stage(options)
    page = says(b"a" * 999, cache_control="max-age=60", vary="Accept-Encoding")
    hidden_fields = {"Content-Encoding": None}
    stage.play(get(page, headers=BR, response_headers=hidden_fields))
    stage.play(get(at=1, headers=BR, cache="hit", response_headers=hidden_fields))
    stage.play(get(page, at=2, headers={"Accept-Encoding": "gzip"}, response_headers=hidden_fields))
