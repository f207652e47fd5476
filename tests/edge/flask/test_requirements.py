"""Missing or old packages, and a missing edge, are named in one sentence."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge import PolicyError
from app.edge.flask import Edge, requirements
from app.edge.flask.effective_policy import Default, explicit_only
from app.edge.flask.requirements import Extra, require
from app.edge.flask.retrying import Retried, RetriedTier
from app.edge.flask.state import state_of


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """All missing packages of the extra are in one sentence."""
    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name else name)
    sentence = r"The gateway needs lmdb and brotli: install the extra \[gateway\]"
    with pytest.raises(PolicyError, match=sentence):
        require(Extra.GATEWAY, "The gateway")


def test_an_old_sqlalchemy_is_refused_and_a_tested_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its private names differ, so that reads would go unnoticed."""
    require(Extra.SQLALCHEMY, "track()")
    require(Extra.CDN, "The edge")
    monkeypatch.setattr(sa, "__version__", "1.4.54")
    with pytest.raises(PolicyError, match=r"track\(\): .*1\.4\.54"):
        require(Extra.SQLALCHEMY, "track()")
    require(Extra.CDN, "The edge")


def test_an_app_without_an_edge_says_which_call_is_missing() -> None:
    """Also an app in which another extension has the name."""
    app = Flask("small")
    for extensions in ({}, {"edge": object()}):
        app.extensions = extensions
        with pytest.raises(PolicyError, match=r"call edge\.init_app\(app\) first"):
            state_of(app)


def test_an_edge_without_tracking_has_no_faults(app: Flask) -> None:
    """Nothing is purged there, so nothing can be late."""
    edge = Edge()
    assert edge.degraded(app) is None
    assert edge.trouble(app) is None
    edge.rouse(app)


def test_a_hook_that_is_no_function_is_refused(bare: Flask) -> None:
    """The sentence shows what was passed."""
    with pytest.raises(PolicyError, match=r"takes a function of request and response, not 'GET'"):
        Edge().init_app(bare, should_handle="GET")  # type: ignore[arg-type] # refused


def test_no_default_holds_for_no_response(app: Flask) -> None:
    """The hook is not called without a policy."""

    def fail(*_: object) -> bool:
        raise AssertionError("the hook was called")

    with app.test_request_context("/") as context:
        response = app.response_class()
        default = Default(policy=None, should_handle=fail)
        assert not default.holds(context.request, response)
        assert not explicit_only(context.request, response)


@pytest.mark.parametrize(
    ("tiers", "lines"),
    [
        ((), ["No edge is purged by this site."]),
        ((("cdn", 1),), ["cdn: back-off ended; 1 purge that failed will be sent again."]),
        (
            (("cdn", 2), ("gateway", 0)),
            [
                "cdn: back-off ended; 2 purges that failed will be sent again.",
                "gateway: back-off ended; 0 purges that failed will be sent again.",
            ],
        ),
    ],
)
def test_a_retry_lists_its_tiers(tiers: tuple[tuple[str, int], ...], lines: list[str]) -> None:
    """One line a tier, or one that says that there is none."""
    retry_result = Retried(
        tiers=tuple(RetriedTier(name=name, purges=count) for name, count in tiers)
    )
    assert list(retry_result.to_lines()) == lines
    assert [tier["name"] for tier in retry_result.to_json()["tiers"]] == [name for name, _ in tiers]
