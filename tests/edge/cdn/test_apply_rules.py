"""Cache Rules in a zone: managed rules are replaced, others stay, and each error is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.edge.cdn.api_client import ApiClient, Credentials
from app.edge.cdn.base import PurgeError
from app.edge.cdn.cloudflare.apply_rules import ZoneRules
from app.edge.cdn.cloudflare.cache_rules import PHASE, cache_rules
from app.edge.testing import Ending
from tests.edge.cdn.fakes.server import FakeRequest, FakeResponse, FakeServer

from .test_cache_rules import PLAN

ZONE = "0123456789abcdef0123456789abcdef"
TOKEN = "a-token-that-nobody-may-see"
HTML = Ending(
    status=200, headers={"Content-Type": "text/html"}, body=b"<html>Welcome to Wi-Fi</html>"
)
RULES = cache_rules(PLAN)


class Rulesets(FakeServer):
    """A fake of the Rulesets API for the Cache Rules of one zone."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 0
        self.rules: list[dict[str, Any]] = []

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Refuse what Cloudflare refuses, and number each version."""
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._error_response(403, 10000, "Authentication error")
        if request.url.path != f"/zones/{ZONE}/rulesets/phases/{PHASE}/entrypoint":
            return self._error_response(404, 7003, "Could not route to the zone")
        if request.method == "GET" and not self.version:
            return self._error_response(
                404, 10003, "could not find entrypoint ruleset in the phase"
            )
        if request.method == "PUT":
            return self._replace_rules(request)
        return self._ruleset_response()

    def _replace_rules(self, request: FakeRequest) -> FakeResponse:
        rules = json.loads(request.body)["rules"]
        for rule in rules:
            if {"version", "last_updated"} & rule.keys() or rule["action"] != "set_cache_settings":
                return self._error_response(400, 20217, "unknown field in rule")
        if request.query.get("dry_run") == "true":
            return FakeResponse(body=b'{"success": true, "errors": [], "result": null}')
        self.version += 1
        self.rules = [
            {"id": f"id-{n}", **rule, "version": "1", "last_updated": "2026-01-01T00:00:00Z"}
            for n, rule in enumerate(rules)
        ]
        return self._ruleset_response()

    def _ruleset_response(self) -> FakeResponse:
        result = {"id": "r", "version": str(self.version), "phase": PHASE, "rules": self.rules}
        return FakeResponse(
            body=json.dumps({"success": True, "errors": [], "result": result}).encode()
        )

    def _error_response(self, status: int, code: int, message: str) -> FakeResponse:
        errors = [{"code": code, "message": message}]
        document = {"success": False, "errors": errors, "result": None}
        return FakeResponse(status=status, body=json.dumps(document).encode())

    def somebody_adds(self, *names: str) -> None:
        """Another person adds rules, for example in the dashboard."""
        self.version += 1
        for name in names:
            rule = {"expression": "true", "action": "set_cache_settings", "enabled": True}
            entry = {"id": name, "ref": name, "description": name, "version": "1", **rule}
            self.rules.append({**entry, "action_parameters": {"cache": False}})


@pytest.fixture
def api() -> Iterator[Rulesets]:
    """A zone without rules."""
    with Rulesets() as server:
        yield server


def zone(api: Rulesets, *, token: str = TOKEN, name: str = ZONE) -> ZoneRules:
    """The rules of the zone as a client with this token sees them."""
    credentials = Credentials(headers={"Authorization": f"Bearer {token}"}, secrets=(token,))
    return ZoneRules(ApiClient("cloudflare", api.url, credentials=credentials), name)


def refs(api: Rulesets) -> list[str]:
    """The rules of the zone, in order."""
    return [rule["ref"] for rule in api.rules]


OURS = [rule["ref"] for rule in RULES]


def test_rules_are_set_in_a_zone_that_has_none() -> None:
    """After that, nothing is left to change."""
    with Rulesets() as api:
        change = zone(api).plan_change(RULES)
        assert "broadsheet_pages" in change.difference
        assert api.version == 0
        zone(api).apply(change)
        assert refs(api) == OURS
        assert zone(api).plan_change(RULES).difference == ""


def test_rules_of_others_stay_where_they_are(api: Rulesets) -> None:
    """New rules come first, so that other rules take precedence; later they keep their position."""
    api.somebody_adds("theirs", "also-theirs")
    before = [dict(rule) for rule in api.rules]
    change = zone(api).plan_change(RULES)
    assert change.other_rule_names == ["theirs", "also-theirs"]
    assert "theirs" not in change.difference
    zone(api).apply(change)
    assert refs(api) == [*OURS, "theirs", "also-theirs"]
    assert [rule["id"] for rule in api.rules[-2:]] == [rule["id"] for rule in before]
    api.rules = [api.rules[-2], *api.rules[:-2], api.rules[-1]]
    zone(api).apply(zone(api).plan_change(RULES[:1]))
    assert refs(api) == ["theirs", OURS[0], "also-theirs"]


def test_a_change_that_somebody_overtook_is_not_written(api: Rulesets) -> None:
    """Writing would overwrite the change of another person."""
    change = zone(api).plan_change(RULES)
    api.somebody_adds("theirs")
    with pytest.raises(PurgeError, match="the rules of the zone were changed after they were read"):
        zone(api).apply(change)
    assert refs(api) == ["theirs"]


def test_a_change_in_the_very_same_moment_is_told(api: Rulesets) -> None:
    """The API has no conditional write, but it numbers its versions."""
    api.somebody_adds("one")
    change = zone(api).plan_change(RULES)
    answer = api.answer

    def late(request: FakeRequest) -> FakeResponse:
        if request.method == "PUT":
            api.somebody_adds("two")
        return answer(request)

    api.answer = late  # type: ignore[method-assign] # as if another request had come first
    with pytest.raises(PurgeError, match=r"version 2 .* version 3"):
        zone(api).apply(change)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"token": "wrong"}, "the credentials were rejected.*Cache Settings"),
        ({"name": "f" * 32}, "EDGE_CLOUDFLARE_ZONE"),
    ],
    ids=["token", "zone"],
)
def test_who_may_not_is_told_what_to_do(
    api: Rulesets, options: dict[str, str], sentence: str
) -> None:
    """A permission is missing, or the zone belongs to another account."""
    with pytest.raises(PurgeError, match=sentence) as error:
        zone(api, **options).plan_change(RULES)
    assert TOKEN not in str(error.value)
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (HTML, "an HTML page"),
        (Ending(status=302, headers={"Location": "/login"}), "unexpected redirect"),
        (Ending(status=500, body=b"{}"), "the API failed"),
        (Ending(body=b'{"success": true, "result": {"rules": 7}}'), "contains no list of rules"),
        (Ending(body=b'{"success": false}'), "refused"),
        (Ending(body=b"[]"), "something that is not JSON"),
        (Ending(how="reset"), "was interrupted"),
        (Ending(status=400, body=json.dumps({"errors": [{"message": f"{TOKEN} is bad"}]}).encode()),
         "… is bad"),
    ],
    ids=["html", "redirect", "500", "junk", "no-success", "array", "reset", "echo"],
)  # fmt: skip
def test_an_answer_that_is_none_is_one_sentence(
    api: Rulesets, fault: Ending, sentence: str
) -> None:
    """A portal, a proxy or a server error gives one sentence without the token."""
    api.ends(fault)
    with pytest.raises(PurgeError, match=sentence) as error:
        zone(api).plan_change(RULES)
    assert TOKEN not in str(error.value)
    assert api.version == 0


def test_what_cloudflare_would_refuse_is_known_before_anybody_is_asked(api: Rulesets) -> None:
    """Cloudflare validates the new list without applying it."""
    wrong = [{**RULES[0], "action": "explode"}]
    with pytest.raises(PurgeError, match="unknown field in rule"):
        zone(api).plan_change(wrong)
