"""Users of the studio and their browsers, for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from html import unescape
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.publishing.models import Login, Role, User
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction
from app.studio import csrf, sessions
from app.studio.passwords import hash_password
from app.studio.tokens import hash_token, new_token

PASSWORD = "a password for tests"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@lru_cache(maxsize=1)
def password_hash() -> str:
    """Return the hash of PASSWORD; hashing is slow, so it is made once."""
    return hash_password(PASSWORD)


def add_person(
    role: Role = Role.OWNER, *, email: str = "", active: bool = True, name: str = ""
) -> Actor:
    """Add a user with PASSWORD; return the actor."""
    with transaction() as session:
        user = User(
            email=email or f"{role}@example.com",
            name=name or role.title(),
            role=role,
            active=active,
            password_hash=password_hash(),
            created_at=datetime.now(UTC),
        )
        session.add(user)
        session.flush()
        return Actor(user_id=user.id, role=role, name=user.name)


@dataclass(frozen=True, kw_only=True)
class Browser:
    """A browser that is logged in; `post` sends the token as a form of the studio does."""

    client: FlaskClient
    token: str

    @property
    def csrf(self) -> str:
        """The CSRF token of the session."""
        return csrf.token_of(hash_token(self.token))

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form."""
        data = {"csrf": self.csrf, **(fields or {})}
        return self.client.post(path, data=data, **{"headers": SAME_ORIGIN, **options})


def sign_in(
    app: Flask, actor: Actor, *, proof_age: timedelta = timedelta(0), token: str = ""
) -> Browser:
    """Return a browser with a session of the user, whose password was given `proof_age` ago."""
    token = token or new_token()
    now = datetime.now(UTC)
    with transaction() as session:
        session.add(
            Login(
                user_id=actor.user_id or 0,
                token_hash=hash_token(token),
                created_at=now,
                seen_at=now,
                proved_at=now - proof_age,
                method="password",
            )
        )
    client = app.test_client()
    name = sessions.cookie_name("studio", secure=False)
    client.set_cookie(name, token, path=sessions.PATH)
    return Browser(client=client, token=token)


def log_in(
    client: FlaskClient, email: str, password: str = PASSWORD, **fields: str
) -> TestResponse:
    """Send the log-in form."""
    data = {"email": email, "password": password, **fields}
    return client.post("/studio/login", data=data, headers=SAME_ORIGIN)


def find_session_cookie(client: FlaskClient) -> str | None:
    """Return the token in the browser's cookie."""
    name = sessions.cookie_name("studio", secure=False)
    cookie = client.get_cookie(name, path=sessions.PATH)
    return cookie.value if cookie else None


def find_fields(page: str) -> dict[str, str]:
    """Return the inputs and textareas of a page with their values."""
    inputs = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page)
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    return {unescape(name): unescape(value) for name, value in [*inputs, *areas]}


def count_logins() -> int:
    """Return the number of sessions."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Login)) or 0
