"""The JSON keys of `flask edge why`: programs read them, so they stay when attributes change."""

from __future__ import annotations

from app.edge.pages.explain import Explanation, LastChange, RegisteredVariant
from app.edge.pages.precision import Precision
from app.edge.purge.page_status import PageTierStatus

from .conftest import NOW


def test_an_explanation_keeps_its_json_keys() -> None:
    """Keys of the page, of each registered variant, and of the last change."""
    variant = RegisteredVariant(
        variant="", policy="P", etag='"e"', registered=NOW, expires=NOW, precision=Precision()
    )
    values = Explanation(
        url="/a",
        status=200,
        policy="P",
        unshareable_reason="",
        variants=(variant,),
        fresh=True,
        built_from=("the template a.html",),
        last_change=LastChange(entry=7, what="post with id 1 was added", at=NOW),
    ).to_json()
    assert list(values) == [
        "url",
        "status",
        "policy",
        "refused",
        "kept",
        "fresh",
        "built_from",
        "touched",
        "places",
    ]
    assert values["kept"] == [
        {
            "variant": "",
            "policy": "P",
            "etag": '"e"',
            "registered": NOW.isoformat(),
            "expires": NOW.isoformat(),
            "precision": {"renewed": 0, "unchanged": 0},
        }
    ]
    assert values["touched"] == {
        "entry": 7,
        "what": "post with id 1 was added",
        "at": NOW.isoformat(),
    }
    assert values["places"] is None


def test_an_explanation_without_a_change_has_null() -> None:
    """The key is there even if no logged change affected the page."""
    values = Explanation(
        url="/a",
        status=404,
        policy="P",
        unshareable_reason="no policy",
        variants=(),
        fresh=None,
        built_from=(),
        last_change=None,
    ).to_json()
    assert (values["touched"], values["kept"], values["refused"]) == (None, [], "no policy")


def test_the_status_of_a_page_at_a_tier_keeps_its_json_keys() -> None:
    """They are the entries of `places` in the explanation."""
    values = PageTierStatus(tier="cdn", waiting_since=NOW, breaker="403").to_json()
    assert values == {
        "tier": "cdn",
        "owed": NOW.isoformat(),
        "again": None,
        "purged": None,
        "worked": None,
        "refused": False,
        "broken": "403",
    }
