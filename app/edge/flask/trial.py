"""A trial: what the guard would say of a response if its route had a shared policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..policy.policy import Freshness, Policy

if TYPE_CHECKING:
    from ..dependencies.read_places import ReadPlaces
    from ..policy.guard import GuardFinding, ResponseFacts
    from .effective_policy import EffectivePolicy

TRIAL_KEY = "edge.trial"
"""WSGI environ key of the trial; a client can't set it."""
WRITE = "write"
TRIAL_POLICY = Policy(name="PAGE", edge=Freshness(ttl=timedelta(days=1)))


@dataclass(slots=True, kw_only=True)
class Trial:
    """The findings of one response; nothing is raised and logged for them."""

    writes: ReadPlaces
    """Gets the place of a refused write, under the name WRITE."""
    findings: tuple[GuardFinding, ...] = ()
    facts: ResponseFacts | None = None
    own_directives: str = ""
    """The Cache-Control header that the view has set."""

    def policy_for_route(self, route: EffectivePolicy) -> EffectivePolicy:
        """Return the route's policy, or a shared policy for a route that has none."""
        if has_own_policy(route):
            return route
        return replace(route, policy=TRIAL_POLICY, source="view")


def has_own_policy(route: EffectivePolicy) -> bool:
    """Return whether a route has a policy; an app's default of no-store does not count."""
    is_default = route.source == "default"
    return route.policy.is_shareable if is_default else route.source != "none"


def trial_of(environ: dict[str, Any]) -> Trial | None:
    """Return the trial of a request; None for an ordinary request."""
    trial = environ.get(TRIAL_KEY)
    return trial if isinstance(trial, Trial) else None
