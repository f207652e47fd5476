"""Log in and log out: cookies, equal answers, and forms that a lost session interrupts."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import werkzeug.security
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.publishing.models import Event, Login, Role, Throttle, User
from app.publishing.transaction import transaction
from app.studio import login, passwords, sessions, throttle

from .people import (
    PASSWORD,
    SAME_ORIGIN,
    add_person,
    count_logins,
    find_fields,
    find_session_cookie,
    log_in,
    sign_in,
)


def cookies_of(response: object) -> list[str]:
    """Return the Set-Cookie headers."""
    return response.headers.getlist("Set-Cookie")  # type: ignore[attr-defined,no-any-return] # a response


def test_the_right_password_begins_a_session(app: Flask, client: FlaskClient) -> None:
    """The answer leads to the studio, whose pages are open from then on."""
    add_person()
    response = log_in(client, "OWNER@example.com ")
    assert (response.status_code, response.headers["Location"]) == (303, "/studio")
    assert client.get("/studio").status_code == 200


def test_the_cookie_is_seen_by_the_studio_alone(app: Flask, client: FlaskClient) -> None:
    """Over HTTP its name has eight digits of this installation; it has no Domain."""
    add_person()
    session_cookie, known_cookie = sorted(cookies_of(log_in(client, "owner@example.com")))[::-1]
    for cookie in (session_cookie, known_cookie):
        for part in ("; HttpOnly", "; Path=/studio", "; SameSite=Lax"):
            assert part in cookie
        assert "Secure" not in cookie
        assert "Domain" not in cookie
    assert session_cookie.startswith("studio-known-") or known_cookie.startswith("studio-known-")


def test_over_https_the_cookie_is_secure(make_app: Callable[..., Flask]) -> None:
    """The prefix of its name makes browsers refuse it from a page without HTTPS."""
    app = make_app(SITE_URL="https://example.org")
    add_person()
    client = app.test_client()
    response = client.post(
        "/studio/login",
        data={"email": "owner@example.com", "password": PASSWORD},
        headers=SAME_ORIGIN,
        base_url="http://example.org",  # behind a proxy that ends TLS and says nothing
    )
    names = sorted(cookie.partition("=")[0] for cookie in cookies_of(response))
    assert names == ["__Secure-studio", "__Secure-studio-known"]
    assert all("; Secure" in cookie for cookie in cookies_of(response))


def test_two_installations_on_one_host_have_other_names(make_app: Callable[..., Flask]) -> None:
    """Cookies ignore ports: the names depend on the secret key."""
    names = set()
    for key in ("one", "two"):
        make_app(SECRET_KEY=key)
        names.add(sessions.cookie_name("studio", secure=False))
    assert len(names) == 2


def test_the_database_holds_no_token(app: Flask, client: FlaskClient) -> None:
    """A copy of the database opens no session."""
    add_person()
    log_in(client, "owner@example.com")
    token = find_session_cookie(client)
    row = db.session.scalars(sa.select(Login)).one()
    assert token
    assert token not in {row.token_hash, row.agent, row.address}
    assert (row.method, row.address) == ("password", "127.0.0.0/24")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("owner@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("disabled@example.com", PASSWORD),
        ("invited@example.com", ""),
        ("invited@example.com", "no account has this password"),
        ("owner@example.com", "x" * 2000),
        ("", ""),
    ],
)
def test_all_refusals_are_equal(app: Flask, client: FlaskClient, email: str, password: str) -> None:
    """An unknown account, a wrong password and a disabled account look the same."""
    add_person()
    add_person(Role.WRITER, email="disabled@example.com", active=False)
    with transaction() as session:
        session.add(User(email="invited@example.com", name="New", created_at=datetime.now(UTC)))
    response = log_in(client, email, password)
    assert response.status_code == 401
    assert login.WRONG in response.text
    assert cookies_of(response) == []
    assert count_logins() == 0
    assert response.text.replace(email, "") == log_in(client, "x@example.com", "y").text.replace(
        "x@example.com", ""
    )


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_known_and_unknown_accounts_are_hashed_once(
    app: Flask, client: FlaskClient, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the time of the answer does not tell which accounts exist."""
    add_person()
    log_in(client, "warm@example.com", "up")  # the dummy hash is made once per process
    count = 0
    check = werkzeug.security.check_password_hash

    def check_and_count(pwhash: str, password: str) -> bool:
        nonlocal count
        count += 1
        return check(pwhash, password)

    monkeypatch.setattr(passwords, "check_password_hash", check_and_count)
    log_in(client, email, "wrong")
    assert count == 1


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_known_and_unknown_accounts_are_delayed_alike(
    app: Flask, client: FlaskClient, email: str
) -> None:
    """After five failures the answer is 429 with the time to wait, before any hash."""
    add_person()
    statuses = [log_in(client, email, "wrong").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    response = log_in(client, email, PASSWORD)
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 2
    assert count_logins() == 0


def test_a_log_in_forgets_the_failures_of_its_own_network(app: Flask, client: FlaskClient) -> None:
    """Those of the account and of the network alone stay."""
    add_person()
    log_in(client, "owner@example.com", "wrong")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Throttle)) == 3
    db.session.rollback()
    log_in(client, "owner@example.com")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Throttle)) == 2


def test_a_flood_on_an_account_does_not_lock_out_its_browser(app: Flask) -> None:
    """A browser that has logged in before is exempt from the limit by account alone."""
    add_person()
    own, stranger = app.test_client(), app.test_client()
    log_in(own, "owner@example.com")
    keys = [
        key
        for key in throttle.keys_for("owner@example.com", "")
        if key.kind is throttle.Kind.ACCOUNT
    ]
    for _ in range(50):
        with transaction() as session:
            throttle.count_failure(session, keys, datetime.now(UTC))
    assert log_in(stranger, "owner@example.com").status_code == 429
    assert log_in(own, "owner@example.com").status_code == 303


def test_a_known_browser_is_delayed_by_its_own_failures(app: Flask, client: FlaskClient) -> None:
    """The exemption is from the limit by account alone."""
    add_person()
    log_in(client, "owner@example.com")
    statuses = [log_in(client, "owner@example.com", "wrong").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


def test_behind_an_unknown_proxy_only_accounts_are_counted(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise one attacker would delay every reader of that proxy; the log says so once."""
    login._warnings.clear()
    add_person()
    with caplog.at_level(logging.WARNING):
        for _ in range(7):
            response = client.post(
                "/studio/login",
                data={"email": "owner@example.com", "password": "wrong"},
                headers={**SAME_ORIGIN, "X-Forwarded-For": "203.0.113.9"},
            )
    assert response.status_code == 401
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Throttle)) == 1
    assert [r for r in caplog.messages if "FLASK_PROXIES" in r] == [caplog.messages[0]]


def test_a_third_hash_is_refused_at_once(app: Flask, client: FlaskClient) -> None:
    """The slot of strangers is taken: 429 at once; a browser that is known has another slot."""
    add_person()
    log_in(client, "owner@example.com")
    with passwords.hash_slot(is_known=False):
        response = log_in(app.test_client(), "owner@example.com")
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert log_in(client, "owner@example.com").status_code == 303
        with passwords.hash_slot(is_known=True):
            assert log_in(client, "owner@example.com").status_code == 429
    assert log_in(app.test_client(), "owner@example.com").status_code == 303


def test_a_new_log_in_has_a_new_token(app: Flask, client: FlaskClient) -> None:
    """The session that the browser had before has ended."""
    add_person()
    log_in(client, "owner@example.com")
    first = find_session_cookie(client)
    log_in(client, "owner@example.com")
    assert find_session_cookie(client) != first
    assert count_logins() == 1


def test_a_log_out_ends_the_session_on_the_server(app: Flask) -> None:
    """The cookie of a thief is worth nothing; the browser forgets what it has stored."""
    browser = sign_in(app, add_person())
    response = browser.post("/studio/logout")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert count_logins() == 0
    thief = app.test_client()
    name = sessions.cookie_name("studio", secure=False)
    thief.set_cookie(name, browser.token, path="/studio")
    assert thief.get("/studio").status_code == 303


def test_a_log_out_is_a_post(app: Flask) -> None:
    """A link or an image of another site ends no session."""
    browser = sign_in(app, add_person())
    assert browser.get("/studio/logout").status_code in {404, 405}
    assert count_logins() == 1


@pytest.mark.parametrize(
    ("column", "age", "status"),
    [
        ("seen_at", timedelta(days=6, hours=23), 200),
        ("seen_at", timedelta(days=7), 303),
        ("created_at", timedelta(days=29, hours=23), 200),
        ("created_at", timedelta(days=30), 303),
    ],
)
def test_a_session_ends_by_its_age(app: Flask, column: str, age: timedelta, status: int) -> None:
    """After a week without use, and after thirty days in all."""
    browser = sign_in(app, add_person())
    with transaction() as session:
        session.execute(sa.update(Login).values({column: datetime.now(UTC) - age}))
    assert browser.get("/studio").status_code == status


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.WRITER}])
def test_a_change_of_the_account_counts_at_once(app: Flask, change: dict[str, object]) -> None:
    """Role and state are read with the session."""
    browser = sign_in(app, add_person())
    assert browser.get("/studio/users").status_code == 200
    with transaction() as session:
        session.execute(sa.update(User).values(change))
    assert browser.get("/studio/users").status_code in {303, 403}


def test_use_is_written_after_five_minutes(app: Flask) -> None:
    """A page writes nothing else, and nothing before."""
    browser = sign_in(app, add_person())
    recent = datetime.now(UTC) - timedelta(minutes=4)
    old = datetime.now(UTC) - timedelta(minutes=6)
    for before, is_kept in ((recent, True), (old, False)):
        with transaction() as session:
            session.execute(sa.update(Login).values(seen_at=before))
        browser.get("/studio")
        db.session.rollback()
        assert (db.session.scalar(sa.select(Login.seen_at)) == before) is is_kept
        db.session.rollback()


def test_a_time_of_use_that_can_not_be_written_is_ignored(app: Flask) -> None:
    """The database refuses to write: the page is shown, the session goes on."""
    browser = sign_in(app, add_person())
    with transaction() as session:
        session.execute(sa.update(Login).values(seen_at=datetime.now(UTC) - timedelta(hours=1)))
        refuse = "BEGIN SELECT RAISE(FAIL, 'read-only'); END"
        session.execute(sa.text(f"CREATE TRIGGER refuse BEFORE UPDATE ON login {refuse}"))
    assert browser.get("/studio").status_code == 200


def test_a_page_without_a_session_leads_to_the_log_in_and_back(
    app: Flask, client: FlaskClient
) -> None:
    """The address is kept, as long as it is one of the studio."""
    add_person()
    response = client.get("/studio/account")
    assert response.headers["Location"] == "/studio/login?next=/studio/account"
    page = client.get(response.headers["Location"]).text
    response = log_in(client, "owner@example.com", next=find_fields(page)["next"])
    assert response.headers["Location"] == "/studio/account"


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.example/", "//evil.example", "/studio//evil.example", "/\\evil.example"),
        *("/articles/x", "javascript:alert(1)", "/studio\n/x", "/studiox", "/studio/%0d%0a"),
    ],
)
def test_a_log_in_never_leads_elsewhere(target: str) -> None:
    """A link with another site in `next` is no way out of the studio."""
    assert login.safe_target(target) == "/studio"


def test_a_form_without_a_session_keeps_its_text(app: Flask, client: FlaskClient) -> None:
    """The answer is 401 with every field and a log-in form, which offers the form again."""
    add_person()
    text = '\n A first line\r\nand <b>another</b> & "quotes" 😀'
    form = {"body": text, "title": "T", "csrf": "old", "password": "p", "new_password": "q"}
    response = client.post("/studio/account/password", data=form, headers=SAME_ORIGIN)
    assert response.status_code == 401
    assert response.headers["Cache-Control"] == "private, no-store"
    fields = find_fields(response.text)
    assert fields["kept:body"] == text
    assert fields["next"] == "/studio/account/password"
    assert {name for name in fields if name.startswith("kept:")} == {"kept:body", "kept:title"}
    fields = {name: value for name, value in fields.items() if name not in {"email", "password"}}
    second = log_in(client, "owner@example.com", "wrong", **fields)
    assert find_fields(second.text)["kept:body"] == text
    page = log_in(client, "owner@example.com", **fields)
    assert page.status_code == 200
    assert 'action="/studio/account/password"' in page.text
    new_form = find_fields(page.text)
    assert (new_form["body"], new_form["title"]) == (text, "T")
    token = find_session_cookie(client)
    assert token
    response = client.post(
        "/studio/sessions/end-others", data={"csrf": new_form["csrf"]}, headers=SAME_ORIGIN
    )
    assert response.status_code == 303


def test_a_script_without_a_session_gets_json(app: Flask, client: FlaskClient) -> None:
    """It opens the log-in itself; nothing is redirected."""
    for response in (
        client.post("/studio/logout", json={"a": 1}, headers=SAME_ORIGIN),
        client.get("/studio/account", headers={"Accept": "application/json"}),
    ):
        assert response.status_code == 401
        assert response.json is not None
        assert response.json["error"] == "session-ended"


def test_a_database_that_is_away_ends_no_session(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After: the browser keeps its cookie, the writer the text."""
    app.testing = False
    browser = sign_in(app, add_person())

    def be_away(*_arguments: object) -> None:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(sessions, "find", be_away)
    for response in (browser.get("/studio"), browser.post("/studio/logout")):
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert cookies_of(response) == []
        assert response.headers["Cache-Control"] == "private, no-store"


def test_old_rows_leave_with_a_log_in(app: Flask, client: FlaskClient) -> None:
    """Sessions, counters and events that are over are deleted."""
    actor = add_person()
    sign_in(app, actor)
    old = datetime.now(UTC) - timedelta(days=100)
    with transaction() as session:
        session.execute(sa.update(Login).values(seen_at=old))
        session.add(Throttle(key="k", failures=3, updated_at=old))
        session.add(Event(at=old, user_id=None, action="x"))
    log_in(client, "owner@example.com")
    assert count_logins() == 1
    assert db.session.scalars(sa.select(Throttle)).all() == []
    assert db.session.scalars(sa.select(Event)).all() == []


def test_a_thread_that_fails_gives_its_slot_back(app: Flask) -> None:
    """An exception while a password is hashed does not lock the other users out."""

    def fail_in_slot() -> None:
        with pytest.raises(RuntimeError), passwords.hash_slot(is_known=False):
            raise RuntimeError

    thread = threading.Thread(target=fail_in_slot)
    thread.start()
    thread.join()
    with passwords.hash_slot(is_known=False):
        pass


@pytest.mark.parametrize(
    ("agent", "description"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/1 Safari/1 Edg/1",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_session_is_described_by_browser_and_system(agent: str, description: str) -> None:
    """So that users recognise their own devices in the list."""
    assert sessions.describe_agent(agent) == description
