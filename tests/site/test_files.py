from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing import actions
from app.publishing.models import Attachment
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction

from .content import START

VIDEO = bytes(range(256)) * 40


def store(content: bytes, name: str) -> str:
    """Store a file and return its path."""
    path = actions.add_file(content, name, now=START, actor=SYSTEM).path
    db.session.remove()
    return path


@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("A report.PDF", "application/pdf", "attachment; filename=a-report.pdf"),
        ("talk.mp4", "video/mp4", "inline; filename=talk.mp4"),
        ("song.mp3", "audio/mpeg", "inline; filename=song.mp3"),
        ("code.zip", "application/zip", "attachment; filename=code.zip"),
        ("notes.txt", "text/plain; charset=utf-8", "inline; filename=notes.txt"),
        ("sans.woff2", "font/woff2", "attachment; filename=sans.woff2"),
    ],
)
def test_a_file_is_served_in_a_sandbox_with_its_type(
    site_app: Flask, name: str, content_type: str, disposition: str
) -> None:
    """A linked file has the type of its name, and no script in it can run."""
    response = site_app.test_client().get(store(VIDEO, name))
    assert response.data == VIDEO
    assert response.content_type == content_type
    assert response.headers["Content-Disposition"] == disposition
    assert response.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    (policy,) = response.headers.getlist("Content-Security-Policy")
    assert {"sandbox", "default-src 'none'"} <= set(policy.split("; "))
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "immutable" in response.headers["Cache-Control"]


@pytest.mark.parametrize("gateway", [False, True])
def test_a_range_of_a_file_is_served(make_app: Callable[..., Flask], gateway: bool) -> None:
    """A video player requests parts of a file, with and without the gateway's cache."""
    app = make_app(EDGE_GATEWAY=gateway)
    path = store(VIDEO, "talk.mp4")
    client = app.test_client()
    for _ in range(2):
        response = client.get(path, headers={"Range": "bytes=10-19"})
        assert response.status_code == 206
        assert response.data == VIDEO[10:20]
        assert response.headers["Content-Range"] == f"bytes 10-19/{len(VIDEO)}"
        assert "sandbox" in response.headers["Content-Security-Policy"]
    whole = client.get(path)
    assert (whole.status_code, whole.data) == (200, VIDEO)
    assert client.get(path, headers={"Range": "bytes=99999-"}).status_code == 416
    tag = whole.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    other = client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, VIDEO)
    stored_elsewhere = client.get(
        path, headers={"Range": "bytes=10-19", "If-None-Match": '"other"'}
    )
    assert (stored_elsewhere.status_code, stored_elsewhere.data) == (206, VIDEO[10:20])


def test_a_range_is_served_of_a_file_that_the_gateway_does_not_store(
    make_app: Callable[..., Flask],
) -> None:
    """A file above EDGE_STORE_ENTRY is sent on each request, whole if need be."""
    app = make_app(EDGE_GATEWAY=True, EDGE_STORE_ENTRY=4096)
    path = store(VIDEO, "talk.mp4")
    client = app.test_client()
    for _ in range(2):
        response = client.get(path, headers={"Range": "bytes=10-19"})
        expected = {200: VIDEO, 206: VIDEO[10:20]}
        assert response.data == expected[response.status_code]


def test_the_same_bytes_under_two_names_are_two_files(site_app: Flask) -> None:
    """The type of a file follows from its name, so that each name keeps its own."""
    client = site_app.test_client()
    paths = [store(VIDEO, name) for name in ("a.txt", "a.zip", "a.txt")]
    assert paths[0] == paths[2]
    types = [client.get(path).content_type for path in paths]
    assert types == ["text/plain; charset=utf-8", "application/zip", "text/plain; charset=utf-8"]


def test_an_unknown_file_is_not_found(site_app: Flask) -> None:
    """The digest and the name in the URL must both be those of a stored file."""
    path = store(VIDEO, "talk.mp4")
    client = site_app.test_client()
    assert client.get(path.replace("talk", "other")).status_code == 404
    assert client.get(f"/media/files/{'0' * 20}/talk.mp4").status_code == 404


def test_a_deleted_file_leaves_the_cache(make_app: Callable[..., Flask]) -> None:
    """A file that is deleted from the database is purged."""
    app = make_app(EDGE_GATEWAY=True)
    path = store(VIDEO, "talk.mp4")
    client = app.test_client()
    assert_miss(client.get(path))
    assert_hit(client.get(path))
    with transaction() as session:
        session.execute(sa.delete(Attachment))
    db.session.remove()
    assert client.get(path).status_code == 404
