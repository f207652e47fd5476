"""Sessions: rows that can be listed and ended, and the cookie with their token.

The cookie has the path /studio, so that no public page and no cache ever sees it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Request, current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.database import WRITING
from app.extensions import db
from app.publishing.models import Login, User
from app.publishing.permissions import Actor

from .throttle import network_of
from .tokens import hash_token, is_signature, new_token, sign

IDLE = timedelta(days=7)
ABSOLUTE = timedelta(days=30)
PROOF = timedelta(minutes=15)
"""How long after the password was given users, roles and passwords may be changed."""
SEEN_AGAIN = timedelta(minutes=5)
KNOWN = timedelta(days=365)
PATH = "/studio"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioSession:
    """The session of a request: its user and its times."""

    login_id: int
    token_hash: str
    actor: Actor
    email: str
    seen_at: datetime
    proved_at: datetime

    def is_proved(self, now: datetime) -> bool:
        """Tell whether the user gave the password a short time ago."""
        return timedelta(0) <= now - self.proved_at < PROOF


def cookie_name(kind: str, *, secure: bool) -> str:
    """Return the name of a cookie; over HTTP another one for each installation.

    Cookies ignore ports: two installations on one host would end each other's sessions.
    """
    if secure:
        return f"__Secure-{kind}"
    return f"{kind}-{sign('cookie', kind)[:8]}"


def is_secure(request: Request) -> bool:
    """Tell whether the browser is connected by HTTPS, also behind a proxy that says nothing."""
    site = urlsplit(current_app.config["SITE_URL"])
    return request.is_secure or (site.scheme == "https" and request.host == site.netloc)


def begin(session: Session, user_id: int, request: Request, now: datetime, *, method: str) -> str:
    """Insert a session in the caller's transaction; return its token."""
    token = new_token()
    session.add(
        Login(
            user_id=user_id,
            token_hash=hash_token(token),
            created_at=now,
            seen_at=now,
            proved_at=now,
            method=method,
            address=network_of(request.remote_addr),
            agent=(request.user_agent.string or "")[:200],
        )
    )
    session.flush()
    return token


def find(request: Request, now: datetime) -> StudioSession | None:
    """Return the session of the request with one SELECT; None if it ended or there is none.

    Role and state of the account are read with it, so nothing about them can be stale.
    """
    token = request.cookies.get(cookie_name("studio", secure=is_secure(request)))
    if not token:
        return None
    statement = (
        sa.select(Login, User.role, User.name, User.email)
        .join(User, User.id == Login.user_id)
        .where(Login.token_hash == hash_token(token), User.active)
        .where(Login.seen_at > now - IDLE, Login.created_at > now - ABSOLUTE)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        return None
    login: Login = row.Login
    return StudioSession(
        login_id=login.id,
        token_hash=login.token_hash,
        actor=Actor(user_id=login.user_id, role=row.role, name=row.name),
        email=row.email,
        seen_at=login.seen_at,
        proved_at=login.proved_at,
    )


def touch(current: StudioSession, now: datetime) -> None:
    """Write when the session was last used, if that is some minutes ago; ignore a failure."""
    if now - current.seen_at < SEEN_AGAIN:
        return
    statement = sa.update(Login).where(Login.id == current.login_id).values(seen_at=now)
    try:
        with db.engine.connect().execution_options(**WRITING) as connection, connection.begin():
            connection.execute(statement)
    except SQLAlchemyError as error:
        _log.info("studio.session: the time of use was not written: %s", error)


def end(session: Session, login_id: int, *, user_id: int | None = None) -> bool:
    """Delete one session, of this user if one is given; return whether there was one."""
    statement = sa.delete(Login).where(Login.id == login_id)
    if user_id is not None:
        statement = statement.where(Login.user_id == user_id)
    result = session.execute(statement.returning(Login.id))
    return result.first() is not None


def end_all(session: Session, user_id: int, *, but: int | None = None) -> None:
    """Delete all sessions of a user, except one."""
    statement = sa.delete(Login).where(Login.user_id == user_id)
    session.execute(statement if but is None else statement.where(Login.id != but))


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def describe_agent(agent: str) -> str:
    """Return browser and system of a User-Agent in words: `Firefox on Windows`."""
    browser = next((name for word, name in _BROWSERS if word in agent), "")
    browser = browser or ("Safari" if "Safari/" in agent else "A browser")
    system = next((name for word, name in _SYSTEMS if word in agent), "")
    return f"{browser} on {system}" if system else browser


def delete_old(session: Session, now: datetime) -> None:
    """Delete the sessions that have ended by their age."""
    is_old = (Login.seen_at <= now - IDLE) | (Login.created_at <= now - ABSOLUTE)
    session.execute(sa.delete(Login).where(is_old))


def list_of(session: Session, user_id: int, now: datetime) -> list[Login]:
    """Return the sessions of a user that have not ended, the last used first."""
    statement = sa.select(Login).where(Login.user_id == user_id, Login.seen_at > now - IDLE)
    statement = statement.where(Login.created_at > now - ABSOLUTE)
    return list(session.scalars(statement.order_by(Login.seen_at.desc(), Login.id.desc())))


def send_cookies(response: Response, request: Request, token: str, user_id: int) -> None:
    """Give the browser its session, and the mark that it has logged in to this account."""
    secure = is_secure(request)
    _set_cookie(response, cookie_name("studio", secure=secure), token, ABSOLUTE, secure=secure)
    mark = f"{user_id}.{sign('known', str(user_id))}"
    _set_cookie(response, cookie_name("studio-known", secure=secure), mark, KNOWN, secure=secure)


def _set_cookie(response: Response, name: str, value: str, age: timedelta, *, secure: bool) -> None:
    response.set_cookie(
        name, value, max_age=age, path=PATH, secure=secure, httponly=True, samesite="Lax"
    )


def remove_cookie(response: Response, request: Request) -> None:
    """Remove the session's cookie; the browser stays known."""
    secure = is_secure(request)
    name = cookie_name("studio", secure=secure)
    response.delete_cookie(name, path=PATH, secure=secure, httponly=True, samesite="Lax")


def known_user(request: Request) -> int | None:
    """Return the account to which this browser has logged in before, if it has."""
    name = cookie_name("studio-known", secure=is_secure(request))
    user_id, _, signature = request.cookies.get(name, "").partition(".")
    if user_id.isascii() and user_id.isdigit() and is_signature("known", user_id, signature):
        return int(user_id)
    return None
