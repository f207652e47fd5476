"""List the GET routes of an app with what prevents them from being shared (`flask edge adopt`).

Each route is visited once, as a visitor without cookies.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..dependencies.read_places import describe_file, is_app_file
from .example_urls import find_example_urls
from .problems import UNTRACKED, describe_problems, find_declarations
from .state import state_of
from .trial import has_own_policy
from .visit import visit_page

if TYPE_CHECKING:
    from flask import Flask

    from ..dependencies.recorder import RenderRecord
    from .effective_policy import EffectivePolicy
    from .example_urls import ExampleUrl
    from .state import EdgeState
    from .suggestions import Suggestion

_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedRoute:
    """One GET route, and the line that makes its pages shared.

    Attributes:
        rule: the URL rule.
        view: the name of the view function or class.
        place: the file and line where the view begins; empty if it is not the app's.
        url: the URL that was visited; empty if it was not.
        policy: the policy that the route has; empty if it has none.
        source: where this policy was set.
        status: the status of the response; None if the route was not visited.
        problems: what prevents sharing, each with its place.
        is_ready: whether `line` is all that has to be written.
        line: the decorator or the call to write; empty if there is none.
    """

    rule: str
    view: str
    place: str
    url: str = ""
    policy: str = ""
    source: str = ""
    status: int | None = None
    problems: tuple[str, ...] = ()
    is_ready: bool = False
    line: str = ""

    @property
    def summary(self) -> str:
        """Everything but the rule, in one line."""
        verdict = "; ".join(self.problems) or "can be shared as it is"
        if self.policy:
            has_policy = f"has {self.policy}, set by {self.source}"
            verdict = f"{has_policy}, but {verdict}" if self.problems else has_policy
        if not self.line:
            return verdict
        return f"{verdict}: {self._instruction}"

    @property
    def _instruction(self) -> str:
        where = f" above {self.view} at {self.place}" if self.line.startswith("@") else ""
        if not self.problems:
            return f"write {self.line}{where}"
        is_table = all(problem.startswith(UNTRACKED) for problem in self.problems)
        first = "watch it with a trigger" if is_table else "remove that"
        start = "declare it:" if self.is_ready else f"{first}, then write"
        return f"{start} {self.line}{where}"

    def to_json(self) -> dict[str, Any]:
        """Return the route for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """The routes of an app, and why reads of the database were not checked, if so."""

    routes: tuple[AdoptedRoute, ...]
    unchecked_reason: str
    suggestions: tuple[Suggestion, ...] = ()

    def to_lines(self) -> Iterator[str]:
        """Yield one line a route, and what the lines don't say."""
        width = max((len(_label(route)) for route in self.routes), default=0)
        for route in self.routes:
            yield f"{_label(route):{min(width, 40)}}  {route.summary}"
        yield ""
        yield 'PAGE is a policy of your own, such as PAGE = Policy("PAGE", edge=days(1)).'
        for suggestion in self.suggestions:
            yield f"More precise purges: {suggestion.to_text()}."
        if self.unchecked_reason:
            yield f"Reads of the database were not checked: {self.unchecked_reason}."

    def to_json(self) -> dict[str, Any]:
        """Return the routes for JSON."""
        routes = [route.to_json() for route in self.routes]
        suggestions = [suggestion.to_json() for suggestion in self.suggestions]
        return {
            "routes": routes,
            "unchecked_reason": self.unchecked_reason,
            "suggestions": suggestions,
        }


def adopt(app: Flask, examples: Iterable[str] = (), *, only_shared: bool = False) -> Adoption:
    """Visit every GET route that has a URL, and say what prevents its pages from being shared.

    Statements of SQLAlchemy that write are refused; other effects of a view, such as e-mails, are
    not prevented.

    Args:
        app: the app.
        examples: URLs of routes with parameters, such as `/posts/1`.
        only_shared: visit only the routes that have a shared policy.

    Raises:
        PolicyError: an example belongs to no GET route.
    """
    state = state_of(app)
    if state.tracker is None and state.first_use is not None:
        state.first_use.connect(installs_triggers=False)
    urls = find_example_urls(app, examples)
    if only_shared:
        urls = [url for url in urls if _policy(app, url).policy.is_shareable]
    records: list[tuple[str, RenderRecord]] = []
    routes = tuple(_adopt(app, url, records) for url in urls)
    return Adoption(
        routes=routes,
        unchecked_reason=_reason_unchecked(state),
        suggestions=_suggestions(state, records),
    )


def _suggestions(
    state: EdgeState, records: list[tuple[str, RenderRecord]]
) -> tuple[Suggestion, ...]:
    """Return columns to declare; none if the database is not tracked."""
    if state.tracker is None:
        return ()
    from .suggestions import find_suggestions  # noqa: PLC0415 - needs SQLAlchemy

    return find_suggestions(state.tracker, records)


def _reason_unchecked(state: EdgeState) -> str:
    """Return why reads of the database were not checked; empty if they were."""
    if state.tracker is not None:
        return ""
    if state.first_use is not None:
        return state.first_use.reason
    return "the app does not track its database, so no change of a row purges a page"


def _policy(app: Flask, url: ExampleUrl) -> EffectivePolicy:
    return state_of(app).policy_for_endpoint(app, url.rule.endpoint)


def _adopt(app: Flask, url: ExampleUrl, records: list[tuple[str, RenderRecord]]) -> AdoptedRoute:
    effective = _policy(app, url)
    name, place = _locate_view(app, url.rule.endpoint)
    route = AdoptedRoute(rule=url.rule.rule, view=name, place=place)
    if has_own_policy(effective):
        source = _SOURCES[effective.source]
        route = replace(route, policy=effective.policy.name, source=source)
        if not effective.policy.is_shareable:
            return route
    if not url.path:
        return route if route.policy else replace(route, problems=(_needs_example(url),))
    visit = visit_page(app, url)
    if visit.record is not None:
        records.append((route.rule, visit.record))
    route = replace(route, url=url.path, status=visit.status, problems=describe_problems(visit))
    declarations = find_declarations(visit, effective)
    return replace(
        route,
        is_ready=declarations is not None,
        line=_line(url.rule.endpoint, route, declarations),
    )


_SOURCES = {"view": "the view", "blueprint": "its blueprint", "default": "the app's default"}


def _needs_example(url: ExampleUrl) -> str:
    names = ", ".join(sorted(url.rule.arguments))
    return f"it was not visited: give an example of its URL with --url (for {names})"


def _line(endpoint: str, route: AdoptedRoute, declarations: str | None) -> str:
    """Return the line to write; empty if none helps, or if it is there."""
    if route.status != _OK or (route.policy and not (route.problems and declarations)):
        return ""
    arguments = f"{route.policy or 'PAGE'}{declarations or ''}"
    if route.place:
        return f"@cached({arguments})"
    return f'edge.mark(app.view_functions["{endpoint}"], {arguments})'


def _locate_view(app: Flask, endpoint: str) -> tuple[str, str]:
    """Return the name of a view, and where a decorator can be written; "" if nowhere."""
    view: Any = app.view_functions.get(endpoint)
    view = getattr(view, "view_class", None) or inspect.unwrap(view)
    name = getattr(view, "__name__", endpoint)
    try:
        filename = inspect.getsourcefile(view)
        line = inspect.getsourcelines(view)[1]
    except (OSError, TypeError):
        return name, ""
    is_own = filename is not None and is_app_file(filename, app.root_path)
    if not is_own or name == "<lambda>":
        return name, ""
    assert filename is not None
    label = name if inspect.isclass(view) else f"{name}()"
    return label, describe_file(filename, line, app.root_path)


def _label(route: AdoptedRoute) -> str:
    return route.rule if route.url in {"", route.rule} else f"{route.rule} ({route.url})"
