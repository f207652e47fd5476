"""The field with the languages of a page, and the variants that the gateway selects by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from app.edge.gateway import language_list
from app.edge.gateway.gateway import Gateway
from app.edge.gateway.options import Options
from app.edge.gateway.store.memory import MemoryStore
from app.edge.gateway.stored_response import decode, encode
from app.edge.http.languages import choose_language
from tests.edge.gateway.store_contract import stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.test import TestResponse


ENGLISH_AND_SPANISH = "en, es"


def origin(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Respond in a language; the query is the value of the field, if there is any."""
    field = environ["QUERY_STRING"].replace("+", " ")
    header = environ.get("HTTP_ACCEPT_LANGUAGE")
    text = choose_language(header, ("en", "es")) if field == ENGLISH_AND_SPANISH else header
    lines = [(language_list.FIELD, field)] if field else []
    headers = [("Cache-Control", "max-age=60"), ("Vary", "Accept-Language"), *lines]
    start_response("200 OK", headers)
    return [(text or "none").encode()]


def get(client: Client, field: str, language: str) -> TestResponse:
    """Request the page whose origin sends this field."""
    path = f"/?{field.replace(' ', '+')}"
    return client.get(path, headers={"Accept-Language": language})


@pytest.fixture(params=[Options(), Options.shield(), Options(internal_fields=frozenset())])
def client(request: pytest.FixtureRequest) -> Client:
    """Return a client of a gateway in front of the origin."""
    return Client(Gateway(origin, store=MemoryStore(), options=request.param))


def test_requests_for_one_language_get_one_variant(client: Client) -> None:
    """Also if the gateway passes the field on."""
    assert get(client, ENGLISH_AND_SPANISH, "es-ES, en;q=0.5").text == "es"
    assert get(client, ENGLISH_AND_SPANISH, "en-GB").text == "en"
    for language, text in {"es": "es", "es-MX": "es", "en-US": "en", "fr": "en"}.items():
        response = get(client, ENGLISH_AND_SPANISH, language)
        assert response.text == text
        assert "hit" in response.headers["Cache-Status"]


@pytest.mark.parametrize("field", ["", "en, es_MX", "en,, es", "*"])
def test_without_a_valid_list_the_whole_header_is_compared(client: Client, field: str) -> None:
    """A page in another language is never served."""
    for language in ("es", "es-MX", "en", "es"):
        assert get(client, field, language).text == language
    assert "hit" in get(client, field, "es").headers["Cache-Status"]


def test_no_reader_gets_the_field() -> None:
    """Neither with a stored response nor with one that is passed on."""
    client = Client(Gateway(origin, store=MemoryStore(), options=Options.shield()))
    for _ in range(2):
        assert language_list.FIELD not in get(client, ENGLISH_AND_SPANISH, "es").headers
    assert language_list.FIELD not in client.post("/?en,+es").headers


def test_a_stored_response_knows_its_languages() -> None:
    """Also after it was encoded and decoded."""
    response = stored(internal_headers=((language_list.FIELD, "en, pt-BR"),))
    assert decode(encode(response)).languages == response.languages == ("en", "pt-BR")
    assert stored().languages == ()


def test_what_is_formatted_is_parsed_the_same() -> None:
    """The order stays, because the first language is the default."""
    languages = ("pt-BR", "en", "zh-Hant")
    assert language_list.parse_languages([language_list.format_languages(languages)]) == languages
    assert language_list.parse_languages([]) == ()
