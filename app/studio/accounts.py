"""The actions on accounts: the first owner, users, roles, links, passwords.

Each runs in one transaction, and checks there that the actor may do it. A password comes hashed,
because hashing is slow and must not hold a lock.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing import lookups, validation
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Installation, Link, Purpose, Role, User
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction

from . import events, sessions
from .tokens import hash_token, new_token, sign

LIFETIMES = {Purpose.INVITE: timedelta(hours=72), Purpose.RESET: timedelta(hours=1)}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
GONE = "This link is not valid: it was used, it has expired, or it was withdrawn. Ask for another."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """The fields of a new account; `password_hash` may be empty until a link is used."""

    email: str
    name: str
    password_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """A link that can be used now."""

    link_id: int
    purpose: Purpose
    email: str
    role: Role | None
    user_id: int | None


def clean_email(value: str) -> str:
    """Return an e-mail address in lower case; raises Invalid."""
    email = validation.clean_line("email", value, limit=320).lower()
    if not _EMAIL.fullmatch(email):
        raise Invalid("email", "Write the e-mail address as name@example.com.")
    return email


def setup_token(session: Session) -> str | None:
    """Return the token of the set-up link, the same in every process; None if there is an owner."""
    row = session.get(Installation, 1)
    return None if row is None or row.owner_made_at else sign("setup", row.key.hex())


def set_up_owner(token: str, owner: NewUser, *, now: datetime) -> int:
    """Make the first owner; return the user's id. Raises Missing if there is one already."""
    with transaction() as session:
        valid_token = setup_token(session)
        is_valid = hmac.compare_digest((valid_token or "").encode(), token.encode())
        if not valid_token or not is_valid or not _mark_owner_made(session, now):
            raise Missing(GONE)
        user = _insert_user(session, owner, Role.OWNER, now)
        events.record(session, "set up", now=now, user_id=user.id, subject=f"user {user.id}")
        return user.id


def _mark_owner_made(session: Session, now: datetime) -> bool:
    """Use up the set-up link; return whether it was unused. Of several processes one succeeds."""
    statement = sa.update(Installation).where(
        Installation.id == 1, Installation.owner_made_at.is_(None)
    )
    result = session.execute(statement.values(owner_made_at=now).returning(Installation.id))
    return result.first() is not None


def add_user(new: NewUser, role: Role, *, now: datetime, actor: Actor) -> User:
    """Add an account; raises Forbidden, Invalid, or Conflict for an address that has one."""
    with transaction() as session:
        permit(session, actor, Verb.MANAGE_USERS)
        user = _insert_user(session, new, role, now)
        if role is Role.OWNER:
            _mark_owner_made(session, now)
        events.record(
            session, "add user", now=now, user_id=actor.user_id, subject=f"user {user.id}"
        )
        return user


def _insert_user(session: Session, new: NewUser, role: Role, now: datetime) -> User:
    email = clean_email(new.email)
    name = validation.clean_line("name", new.name, limit=200)
    _require_no_account(session, email)
    user = User(email=email, name=name, role=role, password_hash=new.password_hash, created_at=now)
    session.add(user)
    lookups.flush_or_conflict(session, f"Another request has just added {email}.")
    return user


def _require_no_account(session: Session, email: str) -> None:
    if session.scalar(sa.select(User.id).where(User.email == email)) is not None:
        raise Conflict(f"{email} has an account already.")


def invite(email: str, role: Role, *, now: datetime, actor: Actor) -> str:
    """Make an invitation, and withdraw earlier ones to this address; return its token."""
    email = clean_email(email)
    with transaction() as session:
        permit(session, actor, Verb.MANAGE_USERS)
        _require_no_account(session, email)
        withdrawn = sa.update(Link).where(Link.email == email, Link.used_at.is_(None))
        session.execute(withdrawn.values(used_at=now))
        events.record(session, "invite", now=now, user_id=actor.user_id, detail=role)
        return _insert_link(session, Purpose.INVITE, now, actor, email=email, role=role)


def make_reset_link(user_id: int, *, now: datetime, actor: Actor) -> str:
    """Make a link by which a user sets a new password; return its token."""
    with transaction() as session:
        permit(session, actor, Verb.MANAGE_USERS)
        user = _lock_user(session, user_id)
        if not user.active:
            raise Conflict(f"{user.email} is disabled. Enable the account first.")
        _withdraw_links(session, user_id, now)
        events.record(
            session, "reset link", now=now, user_id=actor.user_id, subject=f"user {user_id}"
        )
        return _insert_link(session, Purpose.RESET, now, actor, email=user.email, user_id=user_id)


def _insert_link(  # noqa: PLR0913 - the columns of a link, by keyword
    session: Session,
    purpose: Purpose,
    now: datetime,
    actor: Actor,
    *,
    email: str,
    role: Role | None = None,
    user_id: int | None = None,
) -> str:
    token = new_token()
    session.add(
        Link(
            purpose=purpose,
            token_hash=hash_token(token),
            user_id=user_id,
            email=email,
            role=role,
            made_by=actor.user_id,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    session.flush()
    return token


def _withdraw_links(session: Session, user_id: int, now: datetime) -> None:
    """Make the unused links unusable that were made for the user or by the user."""
    links = sa.or_(Link.user_id == user_id, Link.made_by == user_id)
    session.execute(sa.update(Link).where(links, Link.used_at.is_(None)).values(used_at=now))


def find_link(session: Session, token: str, purpose: Purpose, now: datetime) -> OpenLink:
    """Return the link of this token, without using it; raises Missing if it can't be used."""
    statement = sa.select(Link).where(
        Link.token_hash == hash_token(token),
        Link.purpose == purpose,
        Link.used_at.is_(None),
        Link.expires_at > now,
    )
    link = session.scalars(statement).one_or_none()
    if link is None:
        raise Missing(GONE)
    return OpenLink(
        link_id=link.id, purpose=purpose, email=link.email, role=link.role, user_id=link.user_id
    )


def _use_link(session: Session, token: str, purpose: Purpose, now: datetime) -> OpenLink:
    """Use up a link; of several requests one succeeds, the others get Missing."""
    link = find_link(session, token, purpose, now)
    statement = sa.update(Link).where(
        Link.id == link.link_id, Link.used_at.is_(None), Link.expires_at > now
    )
    if session.execute(statement.values(used_at=now).returning(Link.id)).first() is None:
        raise Missing(GONE)
    return link


def accept_invitation(token: str, name: str, password_hash: str, *, now: datetime) -> int:
    """Make the account of an invitation; return the user's id. Raises Missing, Invalid."""
    with transaction() as session:
        link = _use_link(session, token, Purpose.INVITE, now)
        new = NewUser(email=link.email, name=name, password_hash=password_hash)
        role = link.role or Role.WRITER
        user = _insert_user(session, new, role, now)
        if role is Role.OWNER:
            _mark_owner_made(session, now)
        events.record(session, "accept", now=now, user_id=user.id, subject=f"user {user.id}")
        return user.id


def reset_password(token: str, password_hash: str, *, now: datetime) -> int:
    """Set the password by a reset link, and end all sessions; return the user's id."""
    with transaction() as session:
        link = _use_link(session, token, Purpose.RESET, now)
        user = _lock_user(session, link.user_id or 0)
        if not user.active:
            raise Missing(GONE)
        _write_password(session, user, password_hash, now)
        return user.id


def change_password(actor: Actor, password_hash: str, *, now: datetime) -> None:
    """Set the actor's own password, and end all of the actor's sessions."""
    with transaction() as session:
        user = _lock_user(session, actor.user_id or 0)
        if not user.active:
            raise Missing("This account is disabled.")
        _write_password(session, user, password_hash, now)


def _write_password(session: Session, user: User, password_hash: str, now: datetime) -> None:
    user.password_hash = password_hash
    sessions.end_all(session, user.id)
    _withdraw_links_to(session, user.id, now)
    events.record(session, "new password", now=now, user_id=user.id, subject=f"user {user.id}")


def _withdraw_links_to(session: Session, user_id: int, now: datetime) -> None:
    links = sa.update(Link).where(Link.user_id == user_id, Link.used_at.is_(None))
    session.execute(links.values(used_at=now))


def set_role(user_id: int, role: Role, *, now: datetime, actor: Actor) -> User:
    """Change the role of a user; raises Conflict for the last active owner."""
    with transaction() as session:
        permit(session, actor, Verb.MANAGE_USERS)
        user = _lock_user(session, user_id)
        if role is not Role.OWNER:
            _require_another_owner(session, user)
        user.role = role
        subject = f"user {user_id}"
        events.record(
            session, "change role", now=now, user_id=actor.user_id, subject=subject, detail=role
        )
        return user


def set_active(user_id: int, *, active: bool, now: datetime, actor: Actor) -> User:
    """Enable or disable an account. Disabling ends its sessions and withdraws its links.

    Raises Conflict for the last active owner.
    """
    with transaction() as session:
        permit(session, actor, Verb.MANAGE_USERS)
        user = _lock_user(session, user_id)
        if not active:
            _require_another_owner(session, user)
            sessions.end_all(session, user_id)
            _withdraw_links(session, user_id, now)
        user.active = active
        action = "enable user" if active else "disable user"
        events.record(session, action, now=now, user_id=actor.user_id, subject=f"user {user_id}")
        return user


def _lock_user(session: Session, user_id: int) -> User:
    """Load and lock the user; all owners are locked with it, always in the same order."""
    statement = sa.select(User).where(sa.or_(User.id == user_id, User.role == Role.OWNER))
    users = session.scalars(
        statement.order_by(User.id).with_for_update().execution_options(populate_existing=True)
    ).all()
    for user in users:
        if user.id == user_id:
            return user
    raise Missing("The user does not exist.")


def _require_another_owner(session: Session, user: User) -> None:
    """Raise Conflict if the user is the only active owner; the owners' rows are locked."""
    if user.role is not Role.OWNER or not user.active:
        return
    others = sa.select(User.id).where(User.role == Role.OWNER, User.active, User.id != user.id)
    if session.scalar(others.limit(1)) is None:
        raise Conflict(f"{user.email} is the only active owner. Make another owner first.")


def find_user(session: Session, email: str) -> User:
    """Return the user with this address; raises Missing."""
    user = session.scalars(sa.select(User).where(User.email == email.strip().lower())).one_or_none()
    if user is None:
        raise Missing(f"No user has the address {email}. `flask users list` lists all users.")
    return user


def list_users(session: Session) -> list[User]:
    """Return all users, owners first."""
    order = sa.case({Role.OWNER: 0, Role.EDITOR: 1}, value=User.role, else_=2)
    return list(session.scalars(sa.select(User).order_by(order, User.email)))


def list_invitations(session: Session, now: datetime) -> list[Link]:
    """Return the invitations that can still be accepted."""
    is_open = (Link.purpose == Purpose.INVITE) & Link.used_at.is_(None) & (Link.expires_at > now)
    return list(session.scalars(sa.select(Link).where(is_open).order_by(Link.created_at)))
