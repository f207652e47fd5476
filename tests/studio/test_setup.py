"""The set-up link, invitations and reset links."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.publishing.errors import Conflict, Forbidden, Invalid, Missing
from app.publishing.models import Event, Installation, Link, Purpose, Role, User
from app.publishing.permissions import SYSTEM, Actor
from app.publishing.transaction import transaction
from app.studio import accounts, passwords, setup

from .people import PASSWORD, SAME_ORIGIN, add_person, count_logins, log_in, sign_in

NEW_PASSWORD = {"new_password": PASSWORD, "new_password_again": PASSWORD}
OWNER = {"name": "Ada", "email": "Ada@Example.com", **NEW_PASSWORD}


def now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


def setup_path() -> str:
    """Return the path of the set-up link."""
    url = setup.find_setup_url()
    assert url is not None
    return "/" + url.split("/", 3)[3]


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form that needs no session."""
    return client.post(path, data=fields, headers=SAME_ORIGIN)


def test_the_set_up_link_makes_the_first_owner(app: Flask, client: FlaskClient) -> None:
    """It logs the owner in; afterwards the link is gone."""
    path = setup_path()
    assert client.get(path).status_code == 200
    response = send(client, path, **OWNER)
    assert (response.status_code, response.headers["Location"]) == (303, "/studio")
    assert client.get("/studio").status_code == 200
    user = db.session.scalars(sa.select(User)).one()
    assert (user.email, user.role, user.active) == ("ada@example.com", Role.OWNER, True)
    assert setup.find_setup_url() is None
    assert client.get(path).status_code == send(client, path, **OWNER).status_code == 404
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_the_set_up_link_is_the_same_from_every_process(make_app: Callable[..., Flask]) -> None:
    """It depends on the secret key and on the database alone; both can change it."""
    make_app(SECRET_KEY="one")
    first = setup.find_setup_url()
    make_app(SECRET_KEY="one")
    assert setup.find_setup_url() == first
    make_app(SECRET_KEY="two")
    assert setup.find_setup_url() != first
    make_app(SECRET_KEY="one")
    with transaction() as session:
        session.execute(sa.update(Installation).values(key=b"x" * 32))
    assert setup.find_setup_url() != first


@pytest.mark.parametrize("token", ["0" * 64, "", "x", "%C3%A9" * 64])
def test_another_token_is_not_found(app: Flask, client: FlaskClient, token: str) -> None:
    """With the same answer as after the set-up."""
    response = send(client, f"/studio/setup/{token}", **OWNER)
    assert response.status_code in {404, 405}
    assert db.session.scalars(sa.select(User)).all() == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "ada", "name@example.com"),
        ("name", " ", "empty"),
        ("new_password", "short", "at least 10"),
        ("new_password", "x" * 1025, "1024 bytes"),
        ("new_password", "ada@example.com", "must not be"),
        ("new_password_again", "another one", "differ"),
    ],
)
def test_a_set_up_with_a_wrong_field_keeps_the_link(
    app: Flask, client: FlaskClient, field: str, value: str, sentence: str
) -> None:
    """The form is shown again with the reason at the field; no password is in the page."""
    path = setup_path()
    response = send(client, path, **{**OWNER, field: value})
    assert response.status_code == 422
    assert sentence in response.text
    assert PASSWORD not in response.text
    assert 'aria-invalid="true"' in response.text
    assert setup.find_setup_url() is not None


def test_an_owner_of_the_command_line_ends_the_set_up(app: Flask) -> None:
    """A link in an old log is worth nothing."""
    new = accounts.NewUser(email="ada@example.com", name="Ada")
    accounts.add_user(new, Role.WRITER, now=now(), actor=SYSTEM)
    assert setup.find_setup_url() is not None
    owner = accounts.NewUser(email="bo@example.com", name="Bo")
    accounts.add_user(owner, Role.OWNER, now=now(), actor=SYSTEM)
    assert setup.find_setup_url() is None


def test_an_invitation_makes_an_account_once(app: Flask, client: FlaskClient) -> None:
    """It has the address and the role of the invitation, not those of the form."""
    token = accounts.invite("New@example.com", Role.EDITOR, now=now(), actor=SYSTEM)
    path = f"/studio/invite/{token}"
    assert "new@example.com" in client.get(path).text
    fields = {**NEW_PASSWORD, "name": "Bo", "email": "evil@example.com", "role": "owner"}
    assert send(client, path, **fields).status_code == 303
    user = db.session.scalars(sa.select(User)).one()
    assert (user.email, user.name, user.role) == ("new@example.com", "Bo", Role.EDITOR)
    assert client.get("/studio").status_code == 200
    assert send(app.test_client(), path, **fields).status_code == 404


def test_opening_a_link_changes_nothing(app: Flask, client: FlaskClient) -> None:
    """Link scanners fetch it before its user does."""
    token = accounts.invite("new@example.com", Role.WRITER, now=now(), actor=SYSTEM)
    for _ in range(3):
        assert client.get(f"/studio/invite/{token}").status_code == 200
        assert client.head(f"/studio/invite/{token}").status_code == 200
    assert db.session.scalars(sa.select(Link)).one().used_at is None


def test_a_reset_link_sets_the_password_and_ends_all_sessions(
    app: Flask, client: FlaskClient
) -> None:
    """The session that follows is the only one."""
    owner = add_person()
    sign_in(app, owner)
    token = accounts.make_reset_link(owner.user_id or 0, now=now(), actor=SYSTEM)
    fields = {"new_password": "another password", "new_password_again": "another password"}
    assert send(client, f"/studio/reset/{token}", **fields).status_code == 303
    assert count_logins() == 1
    assert log_in(app.test_client(), "owner@example.com").status_code == 401
    assert log_in(app.test_client(), "owner@example.com", "another password").status_code == 303
    assert send(client, f"/studio/reset/{token}", **fields).status_code == 404


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_expires(app: Flask, client: FlaskClient, purpose: Purpose) -> None:
    """An invitation after 72 hours, a reset link after one."""
    person = add_person()
    expiry = now() - accounts.LIFETIMES[purpose]
    for age, status in ((timedelta(minutes=1), 200), (timedelta(0), 404)):
        at = expiry + age
        if purpose is Purpose.INVITE:
            token = accounts.invite("new@example.com", Role.WRITER, now=at, actor=SYSTEM)
        else:
            token = accounts.make_reset_link(person.user_id or 0, now=at, actor=SYSTEM)
        assert client.get(f"/studio/{purpose}/{token}").status_code == status


def test_a_link_is_of_one_purpose(app: Flask, client: FlaskClient) -> None:
    """An invitation resets no password."""
    token = accounts.invite("new@example.com", Role.WRITER, now=now(), actor=SYSTEM)
    assert client.get(f"/studio/reset/{token}").status_code == 404


def test_disabling_the_inviter_or_the_user_withdraws_their_links(app: Flask) -> None:
    """Both kinds; they stay withdrawn after the account is enabled again."""
    boss, owner = add_person(email="boss@example.com"), add_person()
    writer = add_person(Role.WRITER)
    invitation = accounts.invite("new@example.com", Role.OWNER, now=now(), actor=owner)
    reset = accounts.make_reset_link(writer.user_id or 0, now=now(), actor=boss)
    for person in (owner, writer):
        for active in (False, True):
            accounts.set_active(person.user_id or 0, active=active, now=now(), actor=boss)
    with pytest.raises(Missing):
        accounts.find_link(db.session(), invitation, Purpose.INVITE, now())
    with pytest.raises(Missing):
        accounts.find_link(db.session(), reset, Purpose.RESET, now())


def test_a_second_invitation_withdraws_the_first(app: Flask) -> None:
    """So a link that went to the wrong person can be replaced."""
    first = accounts.invite("new@example.com", Role.OWNER, now=now(), actor=SYSTEM)
    accounts.invite("new@example.com", Role.WRITER, now=now(), actor=SYSTEM)
    with pytest.raises(Missing):
        accounts.find_link(db.session(), first, Purpose.INVITE, now())


def test_an_address_that_got_an_account_meanwhile_can_not_be_accepted(app: Flask) -> None:
    """The invitation stays unused, and the account as it is."""
    token = accounts.invite("owner@example.com", Role.WRITER, now=now(), actor=SYSTEM)
    add_person()
    with pytest.raises(Conflict):
        accounts.accept_invitation(token, "Eve", "hash", now=now())
    assert db.session.scalars(sa.select(User)).one().role is Role.OWNER
    with pytest.raises(Conflict, match="account already"):
        accounts.invite("Owner@Example.com", Role.WRITER, now=now(), actor=SYSTEM)


def test_the_last_owner_stays(app: Flask) -> None:
    """The only active owner is neither disabled nor given another role, by anybody."""
    owner, other = add_person(), add_person(email="other@example.com")
    user_id = owner.user_id or 0
    accounts.set_active(other.user_id or 0, active=False, now=now(), actor=owner)
    for actor in (owner, SYSTEM):
        with pytest.raises(Conflict, match="only active owner"):
            accounts.set_role(user_id, Role.EDITOR, now=now(), actor=actor)
        with pytest.raises(Conflict, match="only active owner"):
            accounts.set_active(user_id, active=False, now=now(), actor=actor)
    accounts.set_active(other.user_id or 0, active=True, now=now(), actor=owner)
    accounts.set_role(user_id, Role.EDITOR, now=now(), actor=owner)
    assert db.session.get_one(User, user_id).role is Role.EDITOR


def test_disabling_ends_all_sessions(app: Flask) -> None:
    """At once, in the same transaction."""
    owner, writer = add_person(), add_person(Role.WRITER)
    browser = sign_in(app, writer)
    accounts.set_active(writer.user_id or 0, active=False, now=now(), actor=owner)
    assert count_logins() == 0
    assert browser.get("/studio").status_code == 303


STEPS: dict[str, Callable[[int, Actor], object]] = {
    "add": lambda _, actor: accounts.add_user(
        accounts.NewUser(email="new@example.com", name="New"), Role.OWNER, now=now(), actor=actor
    ),
    "invite": lambda _, actor: accounts.invite("n@example.com", Role.OWNER, now=now(), actor=actor),
    "reset": lambda user_id, actor: accounts.make_reset_link(user_id, now=now(), actor=actor),
    "role": lambda user_id, actor: accounts.set_role(user_id, Role.OWNER, now=now(), actor=actor),
    "disable": lambda user_id, actor: accounts.set_active(
        user_id, active=False, now=now(), actor=actor
    ),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("role", [Role.WRITER, Role.EDITOR])
def test_only_owners_manage_users(app: Flask, role: Role, name: str) -> None:
    """The actions refuse, also for the actor's own account."""
    actor = add_person(role)
    with pytest.raises(Forbidden):
        STEPS[name](actor.user_id or 0, actor)
    assert db.session.scalars(sa.select(User)).one().role is role


@pytest.mark.parametrize("name", STEPS)
def test_owners_manage_users(app: Flask, name: str) -> None:
    """Each leaves an event that names who did it, without an address."""
    owner, other = add_person(), add_person(Role.WRITER)
    STEPS[name](other.user_id or 0, owner)
    event = db.session.scalars(sa.select(Event)).one()
    assert event.user_id == owner.user_id
    assert "@" not in f"{event.action} {event.subject} {event.detail}"


@pytest.mark.parametrize("email", ["", "a", "a@", "@b", "a b@c", "a@b@c", "x" * 320 + "@b"])
def test_a_wrong_address_is_refused(email: str) -> None:
    """With a sentence that shows the form of an address."""
    with pytest.raises(Invalid):
        accounts.clean_email(email)


def test_the_pages_show_a_link_once(app: Flask, client: FlaskClient) -> None:
    """Invite, accept, change the role, reset and disable, all in browsers."""
    browser = sign_in(app, add_person())
    page = browser.post("/studio/users/invite", {"email": "bo@example.com", "role": "writer"}).text
    path = page.partition("http://127.0.0.1:8000")[2].partition('"')[0]
    assert path.startswith("/studio/invite/")
    assert path not in browser.get("/studio/users").text
    assert send(client, path, name="Bo <b>", **NEW_PASSWORD).status_code == 303
    user = db.session.scalars(sa.select(User).where(User.email == "bo@example.com")).one()
    page = browser.get("/studio/users").text
    assert "Bo &lt;b&gt;" in page
    base = f"/studio/users/{user.id}"
    assert browser.post(f"{base}/role", {"role": "editor"}).status_code == 303
    assert browser.post(f"{base}/role", {"role": "king"}).status_code == 409
    assert "/studio/reset/" in browser.post(f"{base}/reset").text
    assert browser.post(f"{base}/disable").status_code == 303
    assert client.get("/studio").status_code == 303
    assert browser.post(f"{base}/reset").status_code == 409
    assert browser.post(f"{base}/enable").status_code == 303
    db.session.rollback()
    row = db.session.execute(sa.select(User.role, User.active).where(User.id == user.id)).one()
    assert tuple(row) == (Role.EDITOR, True)


def test_a_new_password_ends_the_other_sessions(app: Flask) -> None:
    """This browser gets a new session; a thief's cookie of the old one is worth nothing."""
    owner = add_person()
    browser, other = sign_in(app, owner), sign_in(app, owner)
    fields = {"new_password": "another password", "new_password_again": "another password"}
    wrong = browser.post("/studio/account/password", {"password": "wrong", **fields})
    assert wrong.status_code == 422
    assert "not your password" in wrong.text
    response = browser.post("/studio/account/password", {"password": PASSWORD, **fields})
    assert response.status_code == 303
    assert count_logins() == 1
    assert browser.get("/studio").status_code == 200
    assert other.get("/studio").status_code == 303


def test_sessions_are_ended_one_by_one(app: Flask) -> None:
    """Own ones alone: another user's session does not exist."""
    owner = add_person()
    browser, other = sign_in(app, owner), sign_in(app, owner)
    writer = sign_in(app, add_person(Role.WRITER))
    page = browser.get("/studio/account").text
    login_ids = re.findall(r"/studio/sessions/(\d+)/end", page)
    assert len(login_ids) == 1
    login_id = login_ids[0]
    assert writer.post(f"/studio/sessions/{login_id}/end").status_code == 404
    assert browser.post(f"/studio/sessions/{login_id}/end").status_code == 303
    assert other.get("/studio").status_code == 303
    assert browser.get("/studio").status_code == 200
    assert writer.get("/studio").status_code == 200


def test_a_password_is_hashed_with_scrypt() -> None:
    """With a salt, so that two equal passwords have other hashes."""
    hashes = {passwords.hash_password(PASSWORD) for _ in range(2)}
    assert len(hashes) == 2
    assert all(value.startswith("scrypt:32768:8:1$") for value in hashes)
