"""Detection of requests that a gateway has forwarded before (RFC 8586)."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from app.edge.gateway import loops

TOKEN = "broadsheet-0123456789abcdef"
OTHER = "broadsheet-fedcba9876543210"

LOOPED: list[tuple[str | None, str | None, bool]] = [
    (None, None, False),
    ("", "", False),
    ("1.1 nginx", None, False),
    ("1.1 broadsheet", None, True),
    ("1.1 BROADSHEET", None, True),
    ("HTTP/1.1 broadsheet", None, True),
    ("1.1 broadsheet (a comment, 1.1 broadsheet)", OTHER, False),
    ("1.1 nginx (a comment, 1.1 broadsheet , b)", None, False),
    ("1.1 broadsheet", "", True),
    ("1.1 broadsheet", OTHER, False),
    ("1.1 nginx, 1.1 broadsheet", OTHER, False),
    ("1.1 broadsheet, 1.1 broadsheet", OTHER, True),
    ("1.1 broadsheet, 1.1 broadsheet", f"{OTHER}, broadsheet-1", False),
    ("1.1 broadsheet", "cloudflare", True),
    ("1.1 broadsheet", "broadsheetx-1", True),
    ("broadsheet", None, False),
    ("1.1 broadsheets", None, False),
    ("1.1 nginx broadsheet", None, False),
    (None, TOKEN, True),
    (None, TOKEN.upper(), True),
    (None, f"{TOKEN}; a=b", True),
    (None, f"cloudflare,\t{TOKEN} ;a", True),
    (None, f"{TOKEN}0", False),
    (None, f'cloudflare; a="{TOKEN}"', False),
    (None, f'cloudflare; a="b\\", {TOKEN}, c"', False),
    (None, f'cloudflare; a="b, {TOKEN}, c"', False),
    (None, f'cloudflare; a="b", {TOKEN}', True),
    (None, OTHER, False),
    (None, "broadsheet", True),
    (None, "cloudflare", False),
]


@pytest.mark.parametrize(("via", "cdn_loop", "result"), LOOPED)
def test_a_request_has_looped_if_a_field_shows_it(
    via: str | None, cdn_loop: str | None, result: bool
) -> None:
    """CDN-Loop with the own token, or more gateways in Via than in CDN-Loop."""
    environ = {"HTTP_VIA": via, "HTTP_CDN_LOOP": cdn_loop}
    present = {name: value for name, value in environ.items() if value is not None}
    assert loops.has_looped(present, TOKEN) is result


def test_each_gateway_has_a_token_of_its_own() -> None:
    """It begins with the common name, so that gateways recognise each other."""
    first, second = loops.new_token(), loops.new_token()
    assert first != second
    assert first.startswith("broadsheet-")
    assert loops.has_looped({"HTTP_CDN_LOOP": first}, first)
    assert not loops.has_looped({"HTTP_CDN_LOOP": second}, first)


@pytest.mark.parametrize(
    ("field", "result"), [(None, "a"), ("", "a"), ("b", "b, a"), ("b, c", "b, c, a")]
)
def test_a_list_gets_one_more_member(field: str | None, result: str) -> None:
    """The members before it stay."""
    assert loops.extended(field, "a") == result


OWN: list[tuple[str, str, bool]] = [
    ("127.0.0.1", "PORT", True),
    ("0.0.0.0", "PORT", True),
    ("::", "PORT", True),
    ("", "PORT", True),
    ("127.0.0.1", "1", False),
    ("192.0.2.1", "PORT", False),
    ("example.org", "PORT", False),
]


@pytest.mark.parametrize(("name", "port", "result"), OWN)
def test_a_connection_to_the_own_server_is_recognised(name: str, port: str, result: bool) -> None:
    """Address and port are those at which the server listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        number = server.getsockname()[1]
        environ = {"SERVER_NAME": name, "SERVER_PORT": port.replace("PORT", str(number))}
        with closing(socket.create_connection(("127.0.0.1", number))) as link:
            assert loops.is_own_server(link, environ) is result


def test_a_connection_from_another_address_is_to_another_server() -> None:
    """Here the client has 127.0.0.2."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = server.getsockname()
        environ = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(address[1])}
        with closing(socket.socket()) as link:
            link.bind(("127.0.0.2", 0))
            link.connect(address)
            assert not loops.is_own_server(link, environ)


def test_a_connection_that_is_lost_is_to_no_server() -> None:
    """The error comes when the request is sent."""
    with closing(socket.socket()) as link:
        assert not loops.is_own_server(link, {"SERVER_NAME": "", "SERVER_PORT": "1"})
