"""The state of one app's edge, and the check of each response before its headers are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import after_this_request
from flask.globals import request_ctx

from ..dependencies.current_record import current_record
from ..dependencies.fence import describe
from ..policy.guard import (
    SAFE_METHODS,
    SUCCESS_STATUSES,
    GuardFinding,
    find_leaks,
    find_reason_not_to_share,
)
from ..policy.policy import PolicyError
from .caching import watch_caches
from .effective_policy import Default, policy_for_response, policy_for_route
from .fail_closed import RECORDING_KEY, note_url
from .fallback import Fallback
from .files import watch_files
from .logins import make_flask_login_lazy
from .negotiated_language import replace_accept_language, write_languages
from .page_url import hide_undeclared_parameters, is_alias_url, page_url
from .read_places import record_read_places
from .request import get_request_reads
from .response import (
    COOKIES_KEY,
    POLICY_KEY,
    PURGED_KEY,
    add_cache_tags,
    count_cookies,
    ensure_etag,
    evaluate_conditions,
    refuse_sharing,
    set_no_store,
    vary_names,
    write_policy,
    write_vary,
)
from .response_facts import collect_facts, record_session_use, variant_key
from .response_version import REDIRECTS, ResponseVersion
from .send_file import install_in_blueprints
from .trial import trial_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask, Request, Response

    from ..audit import SiteProfile
    from ..policy.guard import ResponseFacts
    from ..policy.policy import Policy
    from ..purge.edge_chain import EdgeChain
    from .effective_policy import EffectivePolicy, ShouldHandle
    from .embedded_gateway import EmbeddedGateway
    from .fail_closed import FailClosedMiddleware
    from .first_use import FirstUse
    from .startup import StartupGate
    from .tracking import Tracker
    from .untracked import CurrentCode
    from .worker import PurgeWorker

Clock = Callable[[], datetime]

FAILED = "edge.failed"
"""WSGI environ key of an error that happened before the response was checked."""


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class EdgeState:
    """Options, services and cached route policies of one app."""

    default: Policy | None
    should_handle: ShouldHandle
    clock: Clock
    edge_chain: EdgeChain
    strict: bool | None
    purgeable_counter: Callable[[], int] | None = None
    embedded_gateway: EmbeddedGateway | None = None
    tracker: Tracker | None = None
    worker: PurgeWorker | None = None
    startup_gate: StartupGate | None = None
    fail_closed: FailClosedMiddleware | None = None
    code: CurrentCode | None = None
    site_profile: SiteProfile | None = None
    find_problems: Callable[[], tuple[str, ...]] | None = None
    first_use: FirstUse | None = None
    is_prepared: bool = False
    route_policies: dict[str, EffectivePolicy] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    """The digests of `Edge.add_resources`, by name."""

    def policy_for_endpoint(self, app: Flask, endpoint: str | None) -> EffectivePolicy:
        """Return an endpoint's policy; it is cached, since policies of routes don't change."""
        effective = self.route_policies.get(endpoint or "")
        if effective is None:
            effective = policy_for_route(app, endpoint, self.default)
            self.route_policies[endpoint or ""] = effective
        return effective

    def is_strict(self, app: Flask) -> bool:
        """Return whether a leak raises an exception in this app."""
        return self.strict if self.strict is not None else app.debug or app.testing

    def with_fallback(self, app: Flask, layer: WSGIApplication) -> Fallback:
        """Wrap a WSGI layer so that the app answers without it if the layer raises."""
        assert self.fail_closed is not None
        return Fallback(layer, self.fail_closed, strict=lambda: self.is_strict(app))

    def cap_level(self, is_alias: bool) -> str:  # noqa: FBT001 - as the gateway calls it
        """Return the number of edges that can be purged of a page, or "" if all can."""
        purgeable_count = self._purgeable_count(is_alias=is_alias)
        return "" if purgeable_count == self.edge_chain.purgeable_count else str(purgeable_count)

    def _purgeable_count(self, *, is_alias: bool) -> int:
        count = (
            self.edge_chain.purgeable_count
            if self.purgeable_counter is None
            else self.purgeable_counter()
        )
        return min(count, self.edge_chain.purgeable_by_tag_count) if is_alias else count

    def on_request_started(self, sender: Flask, **_: Any) -> None:
        """Start to record what the view reads from the request."""
        request = request_ctx.request
        try:
            self._begin(sender, request)
        except Exception as error:
            if self.is_strict(sender):
                raise
            request.environ[FAILED] = describe(error, "as a request began")

    def _begin(self, sender: Flask, request: Request) -> None:
        if not self.is_prepared:  # at the first request, when all extensions are registered
            make_flask_login_lazy(sender)
            install_in_blueprints(sender)
            self.is_prepared = True
        route = self.policy_for_endpoint(sender, request.endpoint)
        if (
            request.environ.get("QUERY_STRING")
            and route.declares_query
            and request.method in SAFE_METHODS
        ):
            hide_undeclared_parameters(route, request, warns=self.is_strict(sender))
        if route.languages:
            replace_accept_language(route, request)
        trial = trial_of(request.environ)
        if trial is not None:
            route = trial.policy_for_route(route)
        get_request_reads(request).is_recording = True
        if RECORDING_KEY not in request.environ:
            self.start_recording()
            note_url(request.environ)
        if trial is not None or self.is_strict(sender) or sender.debug or sender.testing:
            record_read_places(sender, request)
        after_this_request(record_session_use)
        if self.tracker is not None and route.policy.is_shareable:
            self._watch(sender, self.tracker, route)

    def _watch(self, sender: Flask, tracker: Tracker, route: EffectivePolicy) -> None:
        """Record reads of caches and files, and the declared tables, of a shareable route."""
        watch_caches(sender)
        record = current_record()
        if record is not None and route.policy.purged and self.is_strict(sender):
            watch_files(record)
        if route.reads is not None:
            tracker.declare(route.reads)

    def start_recording(self) -> None:
        """Record what is read from the database from now on."""
        if self.tracker is not None:
            self.tracker.start_recording()

    def on_request_finished(self, sender: Flask, response: Response, **_: Any) -> None:
        """Check the finished response and write its headers."""
        request = request_ctx.request
        try:
            if failure := request.environ.pop(FAILED, ""):
                finding = GuardFinding(code="edge-failed", summary=failure, is_leak=False)
                self._withhold(sender, response, finding, request.environ)
            else:
                self._finish(sender, response, request)
        except Exception as error:
            if self.is_strict(sender):
                raise
            sentence = describe(error, "as it checked a response")
            finding = GuardFinding(code="edge-failed", summary=sentence, is_leak=False)
            self._withhold(sender, response, finding, request.environ)

    def _withhold(
        self, sender: Flask, response: Response, finding: GuardFinding, environ: dict[str, Any]
    ) -> None:
        """Set `no-store`; if this fails as well, FailClosedMiddleware does it."""
        environ.pop(POLICY_KEY, None)
        environ[PURGED_KEY] = False
        refuse_sharing(response, (finding,), environ, strict=self.is_strict(sender))

    def _finish(self, sender: Flask, response: Response, request: Request) -> None:
        now = self.clock()
        environ = request.environ
        route = self.policy_for_endpoint(sender, request.endpoint)
        trial = trial_of(environ)
        if trial is not None:
            route = trial.policy_for_route(route)
            trial.own_directives = response.headers.get("Cache-Control", "")
        default = Default(policy=self.default, should_handle=self.should_handle)
        effective = policy_for_response(route, request, response, default, now)
        effective = replace(effective, policy=effective.policy.ending(now))
        etag = "" if effective.policy.no_store else ensure_etag(response, environ)
        facts = collect_facts(effective, route, request, response)
        failed = facts.status not in SUCCESS_STATUSES
        version = ResponseVersion(
            variant=variant_key(request, facts),
            etag=etag,
            failed=failed,
            redirects=facts.status in REDIRECTS,
        )
        url = page_url(request) if effective.policy.is_shareable else ""
        findings = self._find_all_reasons(facts, request)
        if trial is not None:
            trial.facts, trial.findings = facts, findings
            set_no_store(response)
            return
        if not findings and (finding := self._register(facts, url, version, now)) is not None:
            findings = (finding,)
        environ[POLICY_KEY] = effective.policy.name
        environ[COOKIES_KEY] = count_cookies(response.headers)
        environ[PURGED_KEY] = (
            effective.policy.is_shareable and effective.policy.purged and not findings
        )
        if not findings:
            tags = self._tags(url, version, effective.policy)
            self._write_headers(response, effective.policy, request, tags=tags, now=now)
            if route.languages and self.embedded_gateway is not None:
                write_languages(response, route.languages)
        else:
            strict = self.is_strict(sender)
            refuse_sharing(response, findings, environ, policy=effective.policy, strict=strict)

    def _find_all_reasons(self, facts: ResponseFacts, request: Request) -> tuple[GuardFinding, ...]:
        """Return the first reason not to share a response; outside production, all leaks."""
        first = find_reason_not_to_share(facts)
        places = get_request_reads(request).places
        if places is None or not (first is None or first.is_leak):
            return () if first is None else (first,)
        leaks = find_leaks(facts, places.get)
        if self.tracker is not None and facts.policy.is_shareable:
            leaks += self.tracker.find_unknown_reads(facts.view, facts.policy)
        return leaks or (() if first is None else (first,))

    def _write_headers(
        self,
        response: Response,
        policy: Policy,
        request: Request,
        *,
        tags: tuple[str, ...],
        now: datetime,
    ) -> None:
        """Write the caching headers of a response that the guard accepts."""
        if policy.is_shareable and "cookie" in {name.lower() for name in vary_names(response)}:
            write_vary(response, (n for n in vary_names(response) if n.lower() != "cookie"))
        purgeable_count = (
            self._purgeable_count(is_alias=is_alias_url(request))
            if self.embedded_gateway is None
            else None
        )
        write_policy(response, policy, self.edge_chain, purgeable_count=purgeable_count, now=now)
        if tags:
            add_cache_tags(response, self.edge_chain.format_tags(*tags))
        if not policy.no_store:
            evaluate_conditions(response, request.environ)

    def _tags(self, url: str, version: ResponseVersion, policy: Policy) -> tuple[str, ...]:
        """Return the cache tags of a shared response; none if no edge is purged."""
        if self.tracker is None or not policy.is_shareable or not self.edge_chain.tiers:
            return ()
        return self.tracker.tags_of(url, version, policy)

    def _register(
        self, facts: ResponseFacts, url: str, version: ResponseVersion, now: datetime
    ) -> GuardFinding | None:
        """Register a shareable page in the page index, if the app has one."""
        policy = facts.policy
        if self.tracker is None and self.first_use is not None and policy.is_shareable:
            summary = f"{facts.view}: {self.first_use.reason}."
            return GuardFinding(code="not-connected", summary=summary, is_leak=False)
        if self.tracker is None or not policy.is_shareable:
            return self.code.finding(facts.view) if self.code and policy.is_shareable else None
        return self.tracker.register_response(facts.view, url, version, policy, now)


def state_of(app: Flask) -> EdgeState:
    """Return the state of an app's edge; raises PolicyError if the app has none."""
    state = app.extensions.get("edge")
    if not isinstance(state, EdgeState):
        raise PolicyError(
            "The edge is not registered with this app: call edge.init_app(app) first."
        )
    return state
