"""Texts that are not public stand in no public byte, header, log, edge table or export."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions, export
from app.publishing.actions import CopyFields
from app.publishing.models import Role
from app.publishing.permissions import SYSTEM

from .people import add_person, sign_in
from .test_previews import make_link
from .writing import NOW, begin, open_post, read_public, save

COPY, FORK, LABEL = "canary-copy-91", "canary-fork-92", "canary-label-93"
PUBLIC: tuple[str, ...] = (
    "/",
    "/articles/first-light",
    "/archive",
    "/feed.xml",
    "/sitemap.xml",
    "/search?q=canary",
)
PUBLIC += ("/topics", "/authors", "/api/posts", "/feed.json", "/robots.txt", "/nothing-here")


def test_a_text_that_is_not_public_leaks_nowhere(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither that of a working copy, nor of its fork, nor the token and label of its preview link."""
    caplog.set_level(logging.DEBUG)
    browser = sign_in(app, add_person(Role.EDITOR))
    post_id = open_post().id
    copy_id = int(browser.post(f"/studio/posts/{post_id}/edit").location.rpartition("/")[2])
    save(browser, copy_id, body_markdown=COPY, topics=COPY, authors=COPY, cover_alt=COPY)
    fork = CopyFields(title=FORK)
    actions.save_copy(copy_id, fork, version=99, now=NOW, actor=SYSTEM)
    save(browser, begin(browser), title=COPY)
    token = make_link(browser, copy_id, LABEL).rpartition("/")[2]
    assert COPY in browser.get(f"/preview/{token}").text
    browser.get(f"/studio/copies/{copy_id}/publish")
    texts = {}
    for path in PUBLIC:
        response = read_public(browser, path)
        texts[path] = f"{response.headers}{response.text}"
    texts["log"] = caplog.text
    with db.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        for table in [name for name in tables if name.startswith("edge_")]:
            rows = connection.execute(sa.select(sa.text("*")).select_from(sa.table(table))).all()
            texts[table] = repr(rows)
    db.session.remove()
    export.export_folder(tmp_path / "export")
    for file in (tmp_path / "export").rglob("*"):
        if file.is_file():
            texts[str(file)] = file.read_bytes().decode("utf-8", "replace")
    assert len(texts) > len(PUBLIC) + 5
    leaks = {
        place: secret
        for place, text in texts.items()
        for secret in (COPY, FORK, LABEL, token)
        if secret in text
    }
    assert leaks == {}
