"""The state of one app's edge, and the judgement of each response that the app gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import after_this_request
from flask.globals import request_ctx

from ..fence import describe
from ..guard import SAFE, SUCCESSFUL, Finding, judge
from ..policy import PolicyError
from ..reads import recorder
from .address import misspelt, registered_as, tidy_query
from .caching import watch_caches
from .facts import facts_of, look_at_session, variant_of
from .files import watch_files
from .promise import Default, response_promise, route_promise
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
    vary_names,
    withhold,
    write_vary,
)
from .seal import RECORDED, note_url
from .tracking import REDIRECTS, Version

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from ..front import Front
    from ..guard import Facts
    from ..policy import Policy
    from ..verify import Ours
    from .awake import Awake
    from .embedded import Embedded
    from .promise import Promise, ShouldHandle
    from .seal import Seal
    from .tracking import Tracker
    from .untracked import CurrentCode
    from .upkeep import Upkeep

Clock = Callable[[], datetime]

FAILED = "edge.failed"
"""The key of a WSGI environment that holds what went wrong before the response was judged."""


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
    sealed: Seal | None = None
    code: CurrentCode | None = None
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
        try:
            self._begin(sender, asked)
        except Exception as error:
            if self.is_strict(sender):
                raise
            asked.environ[FAILED] = describe(error, "as a request began")

    def _begin(self, sender: Flask, asked: Request) -> None:
        route = self.route(sender, asked.endpoint)
        if asked.environ.get("QUERY_STRING") and route.query_holds and asked.method in SAFE:
            tidy_query(route, asked)
        reads_of(asked).on = True
        if RECORDED not in asked.environ:
            self.record()
            note_url(asked.environ)
        after_this_request(look_at_session)
        if self.tracker is not None and route.policy.shared:
            self._watch(sender, self.tracker, route)

    def _watch(self, sender: Flask, tracker: Tracker, route: Promise) -> None:
        """See what a route that may be shared reads beside the database."""
        watch_caches(sender)
        record = recorder.current()
        if record is not None and route.policy.purged and self.is_strict(sender):
            watch_files(record)
        if route.reads is not None:
            tracker.declare(route.reads)

    def record(self) -> None:
        """Record what is read of the database from now on."""
        if self.tracker is not None:
            self.tracker.begin()

    def finish(self, sender: Flask, response: Response, **_: Any) -> None:
        """Judge the finished response and write its headers."""
        asked = request_ctx.request
        try:
            if failure := asked.environ.pop(FAILED, ""):
                finding = Finding(code="edge-failed", sentence=failure, leak=False)
                self._withhold(sender, response, finding, asked.environ)
            else:
                self._finish(sender, response, asked)
        except Exception as error:
            if self.is_strict(sender):
                raise
            sentence = describe(error, "as it judged a response")
            finding = Finding(code="edge-failed", sentence=sentence, leak=False)
            self._withhold(sender, response, finding, asked.environ)

    def _withhold(
        self, sender: Flask, response: Response, finding: Finding, environ: dict[str, Any]
    ) -> None:
        """Keep a response out of every cache; one that can't be judged is closed by the seal."""
        environ.pop(POLICY_KEY, None)
        environ[PURGED_KEY] = False
        withhold(response, finding, environ, strict=self.is_strict(sender))

    def _finish(self, sender: Flask, response: Response, asked: Request) -> None:
        now = self.clock()
        environ = asked.environ
        route = self.route(sender, asked.endpoint)
        default = Default(policy=self.default, should_handle=self.should_handle)
        said = response_promise(route, asked, response, default, now)
        said = replace(said, policy=said.policy.ending(now))
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
            strict = self.is_strict(sender)
            withhold(response, finding, environ, policy=said.policy, strict=strict)

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
        if policy.shared and "cookie" in {name.lower() for name in vary_names(response)}:
            write_vary(response, (n for n in vary_names(response) if n.lower() != "cookie"))
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
            return self.code.finding(facts.view) if self.code and policy.shared else None
        return self.tracker.settle(facts.view, url, version, policy, now)


def state_of(app: Flask) -> State:
    """Return the state of an app's edge; PolicyError when the app has none."""
    state = app.extensions.get("edge")
    if not isinstance(state, State):
        raise PolicyError("This app has no edge: call edge.init_app(app) first.")
    return state
