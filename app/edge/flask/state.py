"""The state of one app's edge, and the judgement of each response that the app gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import after_this_request
from flask.globals import request_ctx

from ..guard import SAFE, SUCCESSFUL, judge
from ..policy import PolicyError
from .address import misspelt, registered_as, tidy_query
from .facts import facts_of, look_at_session, variant_of
from .promise import response_promise, route_promise
from .requests import reads_of
from .responses import (
    COOKIES_KEY,
    POLICY_KEY,
    PURGED_KEY,
    cookies,
    promise,
    stamp,
    tag,
    validate,
    withhold,
)
from .seal import RECORDED
from .tracking import REDIRECTS, Version

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from ..front import Front
    from ..guard import Facts, Finding
    from ..policy import Policy
    from ..verify import Ours
    from .awake import Awake
    from .embedded import Embedded
    from .promise import Promise, ShouldHandle
    from .tracking import Tracker
    from .upkeep import Upkeep

Clock = Callable[[], datetime]


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class State:
    """What the edge knows of one app."""

    default: Policy | None
    should_handle: ShouldHandle
    clock: Clock
    front: Front
    strict: bool | None
    trust: Callable[[], int] | None = None
    embedded: Embedded | None = None
    tracker: Tracker | None = None
    upkeep: Upkeep | None = None
    awake: Awake | None = None
    ours: Ours | None = None
    routes: dict[str, Promise] = field(default_factory=dict)

    def route(self, app: Flask, endpoint: str | None) -> Promise:
        """Return what an endpoint promises; the answer is kept, since marks don't change."""
        known = self.routes.get(endpoint or "")
        if known is None:
            known = route_promise(app, endpoint, self.default)
            self.routes[endpoint or ""] = known
        return known

    def is_strict(self, app: Flask) -> bool:
        """Tell whether a leak raises in this app."""
        return self.strict if self.strict is not None else app.debug or app.testing

    def doubt(self, misspelt: bool) -> str:  # noqa: FBT001 - as the gateway asks it
        """Say how many edges can be purged of a page, unless all can that ever could."""
        trusted = self._trusted(misspelt=misspelt)
        return "" if trusted == self.front.trusted else str(trusted)

    def _trusted(self, *, misspelt: bool) -> int:
        trusted = self.front.trusted if self.trust is None else self.trust()
        return min(trusted, self.front.by_any_url) if misspelt else trusted

    def begin(self, sender: Flask, **_: Any) -> None:
        """Start to record what is read of the request."""
        asked = request_ctx.request
        route = self.route(sender, asked.endpoint)
        if asked.environ.get("QUERY_STRING") and route.query_holds and asked.method in SAFE:
            tidy_query(route, asked)
        reads_of(asked).on = True
        if RECORDED not in asked.environ:
            self.record()
        after_this_request(look_at_session)

    def record(self) -> None:
        """Record what is read of the database from now on."""
        if self.tracker is not None:
            self.tracker.begin()

    def finish(self, sender: Flask, response: Response, **_: Any) -> None:
        """Judge the finished response and write its headers."""
        now = self.clock()
        asked = request_ctx.request
        environ = asked.environ
        route = self.route(sender, asked.endpoint)
        said = response_promise(route, asked, response, self.should_handle, now)
        etag = "" if said.policy.no_store else stamp(response, environ)
        facts = facts_of(said, route, asked, response)
        failed = facts.status not in SUCCESSFUL
        version = Version(
            variant=variant_of(asked, facts),
            etag=etag,
            failed=failed,
            redirects=facts.status in REDIRECTS,
        )
        url = registered_as(asked) if said.policy.shared else ""
        finding = judge(facts) or self._registered(facts, url, version, now)
        environ[POLICY_KEY] = said.policy.name
        environ[COOKIES_KEY] = cookies(response.headers)
        environ[PURGED_KEY] = said.policy.shared and said.policy.purged and finding is None
        if finding is None:
            tags = self._tags(url, version, said.policy)
            self._promise(response, said.policy, asked, tags=tags, now=now)
        else:
            withhold(response, finding, environ, strict=self.is_strict(sender))

    def _promise(
        self,
        response: Response,
        policy: Policy,
        asked: Request,
        *,
        tags: tuple[str, ...],
        now: datetime,
    ) -> None:
        """Write what caches may do with a response that the guard lets out."""
        if policy.shared and "cookie" in (vary := response.vary):
            vary.discard("cookie")
        trusted = self._trusted(misspelt=misspelt(asked)) if self.embedded is None else None
        promise(response, policy, self.front, trusted=trusted, now=now)
        if tags:
            tag(response, self.front.tags(*tags))
        if not policy.no_store:
            validate(response, asked.environ)

    def _tags(self, url: str, version: Version, policy: Policy) -> tuple[str, ...]:
        """The cache tags of a shared response; none where no edge is purged."""
        if self.tracker is None or not policy.shared or not self.front.tiers:
            return ()
        return self.tracker.tags_of(url, version, policy)

    def _registered(
        self, facts: Facts, url: str, version: Version, now: datetime
    ) -> Finding | None:
        """Put a page that shared caches may keep into the index, where there is one."""
        policy = facts.policy
        if self.tracker is None or not policy.shared:
            return None
        return self.tracker.settle(facts.view, url, version, policy, now)


def state_of(app: Flask) -> State:
    """Return the state of an app's edge; PolicyError when the app has none."""
    state = app.extensions.get("edge")
    if not isinstance(state, State):
        raise PolicyError("This app has no edge: call edge.init_app(app) first.")
    return state
