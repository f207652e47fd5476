"""A trial: which routes get the shared policy of a visit, and which keep their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.edge import NO_STORE
from app.edge.dependencies.read_places import ReadPlaces
from app.edge.flask.effective_policy import EffectivePolicy
from app.edge.flask.trial import TRIAL_KEY, TRIAL_POLICY, Trial, has_own_policy, trial_of

NONE = EffectivePolicy(policy=NO_STORE)
SHARED = replace(NONE, policy=TRIAL_POLICY)
ROUTES = {
    "none": (NONE, False),
    "a shared policy of the view": (replace(SHARED, source="view"), True),
    "no-store of the view": (replace(NONE, source="view"), True),
    "a shared policy of the blueprint": (replace(SHARED, source="blueprint"), True),
    "no-store of the blueprint": (replace(NONE, source="blueprint"), True),
    "a shared default": (replace(SHARED, source="default"), True),
    "a default of no-store": (replace(NONE, source="default"), False),
}


@pytest.mark.parametrize(("route", "is_own"), ROUTES.values(), ids=ROUTES)
def test_a_route_without_a_policy_is_tried_with_a_shared_one(
    route: EffectivePolicy, *, is_own: bool
) -> None:
    """A default of no-store is none, because it says nothing about this route."""
    trial = Trial(writes=ReadPlaces("/nowhere"))
    assert has_own_policy(route) is is_own
    tried = trial.policy_for_route(route)
    assert (tried is route) is is_own
    assert is_own or (tried.policy, tried.source) == (TRIAL_POLICY, "view")
    assert is_own or tried.declares_query


def test_only_an_object_in_the_environ_is_a_trial() -> None:
    """A text of the same name changes nothing."""
    trial = Trial(writes=ReadPlaces("/nowhere"))
    assert trial_of({TRIAL_KEY: trial}) is trial
    assert trial_of({TRIAL_KEY: "1"}) is None
    assert trial_of({}) is None
