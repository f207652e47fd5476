"""Deleting a redirect."""

from __future__ import annotations

import pytest
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.errors import Missing
from app.publishing.permissions import SYSTEM
from tests.publishing.conftest import NOW


def test_a_deleted_redirect_answers_404(app: Flask) -> None:
    """The page of the redirect is purged, and the path is free for another redirect."""
    redirect = actions.add_redirect("/old", target="/archive", now=NOW, actor=SYSTEM)
    redirect_id = redirect.id
    client = app.test_client()
    db.session.remove()
    assert client.get("/old").status_code in {301, 308}
    actions.delete_redirect(redirect_id, actor=SYSTEM)
    db.session.remove()
    assert client.get("/old").status_code == 404
    actions.add_redirect("/old", target="/authors", now=NOW, actor=SYSTEM)


def test_a_redirect_is_deleted_once(app: Flask) -> None:
    """The second deletion names what is missing."""
    redirect = actions.add_redirect("/old", target="/archive", now=NOW, actor=SYSTEM)
    redirect_id = redirect.id
    actions.delete_redirect(redirect_id, actor=SYSTEM)
    with pytest.raises(Missing, match="deleted already"):
        actions.delete_redirect(redirect_id, actor=SYSTEM)
