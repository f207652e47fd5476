"""Static files of a Flask app: right bytes under the right fingerprint, and nothing else."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, Any

import brotli
import pytest
from flask import Flask, url_for

from app.edge.dependencies.part import Part
from app.edge.dependencies.recorder import recording
from app.edge.flask import Edge
from app.edge.flask.static import STATIC, has_static_file
from app.edge.static.manifest import StaticError
from app.edge.testing import assert_no_store, assert_policy

if TYPE_CHECKING:
    from pathlib import Path

LONG = "body { color: rebeccapurple }\n" * 40


@pytest.fixture
def static(tmp_path: Path, bare: Flask) -> Flask:
    """Return an app with two static files."""
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "css" / "site.css").write_text(LONG)
    (tmp_path / "static" / "a.png").write_bytes(b"0123456789")
    Edge().init_app(bare)
    return bare


def url(app: Flask, filename: str = "css/site.css") -> str:
    """Return a file's URL as a template gets it."""
    with app.test_request_context():
        return url_for("static", filename=filename)


def get(app: Flask, path: str, method: str = "GET", **headers: str) -> Any:
    """Request a path; header names are written with underscores."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().open(path, method=method, headers=request_headers)


def test_a_url_carries_the_fingerprint_in_its_path(static: Flask) -> None:
    """Without a query string, which an edge might remove."""
    prefix, folder, stamp, *rest = url(static).split("/")
    assert (prefix, folder, rest) == ("", "static", ["css", "site.css"])
    assert len(stamp) == 16
    assert get(static, url(static)).text == LONG


def test_it_is_kept_for_a_year_and_never_asked_for(static: Flask) -> None:
    """Its URL changes when its bytes do."""
    response = get(static, url(static))
    assert_policy(response, STATIC)
    assert response.headers["Cache-Control"] == "max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/static/0123456789abcdef/css/site.css", "/static/none.css", "/static/css"]
)
def test_a_wrong_fingerprint_is_not_found_and_not_stored(static: Flask, path: str) -> None:
    """During a deployment, another instance may have this version."""
    response = get(static, path)
    assert response.status_code == 404
    assert_no_store(response)


def test_a_name_alone_leads_to_the_current_bytes(static: Flask) -> None:
    """For links with the plain path."""
    response = get(static, "/static/css/site.css")
    assert (response.status_code, response.headers["Location"]) == (302, url(static))
    assert_no_store(response)


CODINGS = {
    "none said": (None, None),
    "br": ("br", "br"),
    "gzip": ("gzip", "gzip"),
    "both": ("gzip, br", "br"),
    "gzip preferred": ("gzip, br;q=0.5", "gzip"),
    "br refused": ("br;q=0, gzip", "gzip"),
    "anything": ("*", "br"),
    "anything but br": ("*, br;q=0", "gzip"),
    "nothing": ("*;q=0", None),
    "identity alone": ("identity", None),
    "identity refused": ("identity;q=0, gzip;q=0.1", "gzip"),
    "unknown": ("zstd", None),
}


@pytest.mark.parametrize(("accept", "coding"), CODINGS.values(), ids=CODINGS)
def test_the_coding_is_the_one_that_the_reader_prefers(
    static: Flask, accept: str | None, coding: str | None
) -> None:
    """RFC 9110 §12.5.3, with weights; the response varies on Accept-Encoding."""
    response = get(static, url(static), **({"Accept_Encoding": accept} if accept else {}))
    assert response.headers.get("Content-Encoding") == coding
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert unpack(response.data).decode() == LONG
    assert response.headers["Vary"] == "Accept-Encoding"
    assert int(response.headers["Content-Length"]) == len(response.data)


def test_each_coding_has_an_etag_of_its_own(static: Flask) -> None:
    """They are different bytes (RFC 9110 §8.8.3.3)."""
    tags = {
        get(static, url(static), Accept_Encoding=coding).headers["ETag"]
        for coding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3
    assert not any(tag.startswith("W/") or ";" in tag for tag in tags)


def test_what_is_not_packed_does_not_vary(static: Flask) -> None:
    """An image has one coding."""
    assert "Vary" not in get(static, url(static, "a.png"), Accept_Encoding="br").headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_a_reader_who_has_it_gets_304(static: Flask, form: str) -> None:
    """Lists, weak tags and the star."""
    tag = get(static, url(static)).headers["ETag"]
    response = get(static, url(static), If_None_Match=form.format(tag))
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == tag


RANGES = {
    "the first": ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
    "a part": ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
    "the rest": ("bytes=7-", 206, b"789", "bytes 7-9/10"),
    "the last": ("bytes=-2", 206, b"89", "bytes 8-9/10"),
    "beyond the end": ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    "nothing of it": ("bytes=10-", 416, b"", "bytes */10"),
    "another unit": ("lines=0-1", 200, b"0123456789", None),
    "malformed": ("bytes=4-2", 200, b"0123456789", None),
    "far apart": ("bytes=0-0,9-9", 200, b"0123456789", None),
}


@pytest.mark.parametrize(("range_header", "status", "part", "range_"), RANGES.values(), ids=RANGES)
def test_a_part_can_be_asked_for(
    static: Flask, range_header: str, status: int, part: bytes, range_: str | None
) -> None:
    """RFC 9110 §14; an invalid range is ignored."""
    response = get(static, url(static, "a.png"), Range=range_header)
    assert (response.status_code, response.data) == (status, part)
    assert response.headers.get("Content-Range") == range_


def test_a_part_of_other_bytes_is_not_sent(static: Flask) -> None:
    """If-Range compares strongly (RFC 9110 §13.1.5)."""
    path = url(static, "a.png")
    tag = get(static, path).headers["ETag"]
    assert get(static, path, Range="bytes=0-0", If_Range=tag).status_code == 206
    assert get(static, path, Range="bytes=0-0", If_Range=f"W/{tag}").status_code == 200
    assert get(static, path, Range="bytes=0-0", If_Range='"old"').status_code == 200
    assert get(static, path, Range="bytes=0-0", If_None_Match=tag).status_code == 304


def test_head_says_what_get_would(static: Flask) -> None:
    """Without the body, and without a range."""
    head = get(static, url(static), "HEAD", Range="bytes=0-0")
    full = get(static, url(static))
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == full.headers["Content-Length"]


def test_other_methods_are_told_which_are_allowed(static: Flask) -> None:
    """RFC 9110 §15.5.6."""
    response = get(static, url(static), "POST")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert_no_store(response)


def test_a_missing_file_raises_in_development(static: Flask) -> None:
    """The exception points to the template."""
    with pytest.raises(StaticError, match=r"no static file 'nope\.css'"):
        url(static, "nope.css")


def test_a_missing_file_is_a_404_in_production(static: Flask) -> None:
    """The page is served, and the log has a warning."""
    static.testing = False
    assert url(static, "nope.css") == "/static/nope.css"


def test_debug_mode_sees_a_change_at_once(static: Flask, tmp_path: Path) -> None:
    """Without a restart; in production files are read once."""
    site = tmp_path / "static" / "css" / "site.css"
    before = url(static)
    site.write_text("changed {}")
    os.utime(site, ns=(1, 1))
    assert url(static) == before
    assert get(static, before).text == LONG
    static.debug = True
    assert url(static) != before
    assert get(static, url(static)).text == "changed {}"
    assert get(static, before).status_code == 404


@pytest.mark.usefixtures("static")
def test_a_second_start_packs_nothing_again(tmp_path: Path) -> None:
    """All workers share one folder of compressed files."""
    build = tmp_path / "instance" / "edge-build"
    packed = sorted(build.iterdir())
    assert [path.suffix for path in packed] == [".br", ".gzip"]
    packed[0].write_bytes(b"as found")
    restarted = Flask("again", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    restarted.config["EDGE_GATEWAY"] = "off"
    Edge().init_app(restarted)
    assert get(restarted, url(restarted), Accept_Encoding="br").data == b"as found"


@pytest.mark.usefixtures("static")
def test_an_app_may_keep_flasks_own_static_files(tmp_path: Path) -> None:
    """Fingerprints are optional."""
    plain = Flask("plain", root_path=str(tmp_path))
    plain.config["EDGE_GATEWAY"] = "off"
    Edge().init_app(plain, static=False)
    assert url(plain) == "/static/css/site.css"


def test_a_page_depends_on_a_file_that_it_looks_for(static: Flask) -> None:
    """Also while the file is missing, so that a release that adds it purges the page."""
    with static.test_request_context(), recording() as record:
        assert not has_static_file("css/theme.css")
        assert has_static_file("a.png")
    names = {part.name: part.digest for part in record.dependencies if isinstance(part, Part)}
    assert names["css/theme.css"] == "absent"
    assert len(names["a.png"]) == 16


def test_a_folder_of_overrides_wins_and_adds_files(tmp_path: Path, bare: Flask) -> None:
    """References of style sheets are followed across the folders."""
    for folder, text in (("static", "body { background: url(a.svg) }"), ("more", "")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "a.svg").write_text(f"<svg>{folder}</svg>")
        if text:
            (tmp_path / folder / "site.css").write_text(text)
    (tmp_path / "more" / "b.txt").write_text("new")
    Edge().init_app(bare, static_overrides=(tmp_path / "more",))
    assert get(bare, url(bare, "a.svg")).text == "<svg>more</svg>"
    assert get(bare, url(bare, "b.txt")).text == "new"
    assert url(bare, "a.svg").split("/")[2] in get(bare, url(bare, "site.css")).text
