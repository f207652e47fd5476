"""Keep the policy of a route for `send_file` without `max_age`.

Without `max_age` Flask's `send_file` asks the app for one. If the app has none, it writes
`Cache-Control: no-cache`, which would replace the policy of the route like a header that the view
wrote itself. Where the route has a policy, this module therefore answers 0. Werkzeug then writes
`no-cache, max-age=0`, which tells its own default apart from a `no-cache` written by the view.

The static files of a blueprint get their max_age from the blueprint, which is replaced as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, has_request_context, request

if TYPE_CHECKING:
    from collections.abc import Callable

    import werkzeug
    from flask import Flask, Response

    MaxAge = Callable[[str | None], int | None]

_ANSWERS_KEY = "edge.send_file_max_age"
"""WSGI environ key of the last pair: the app's own max_age and the returned one."""


class AppMaxAge:
    """The app's `get_send_file_max_age`, which answers 0 where the route has a policy."""

    def __init__(self, default: MaxAge, has_policy: Callable[[str | None], bool]) -> None:
        self._default = default
        self._has_policy = has_policy

    def __call__(self, filename: str | None) -> int | None:
        """Return the max_age for a file."""
        return self.answer(self._default(filename))

    def answer(self, max_age: int | None) -> int | None:
        """Return the max_age to write instead of a default, and record both."""
        if not has_request_context():
            return max_age
        answer = 0 if self._has_policy(request.endpoint) else max_age
        request.environ[_ANSWERS_KEY] = (max_age, answer)
        return answer


class BlueprintMaxAge:
    """A blueprint's `get_send_file_max_age`; each app that has the blueprint may change it."""

    def __init__(self, default: MaxAge) -> None:
        self._default = default

    def __call__(self, filename: str | None) -> int | None:
        """Return the max_age for a static file of the blueprint."""
        max_age = self._default(filename)
        app_max_age = current_app.get_send_file_max_age
        return app_max_age.answer(max_age) if isinstance(app_max_age, AppMaxAge) else max_age


def install(app: Flask, has_policy: Callable[[str | None], bool]) -> None:
    """Replace `app.get_send_file_max_age`; `has_policy` takes an endpoint."""
    app_max_age = AppMaxAge(app.get_send_file_max_age, has_policy)
    app.get_send_file_max_age = app_max_age  # type: ignore[method-assign]  # per app


def install_in_blueprints(app: Flask) -> None:
    """Replace `get_send_file_max_age` of the app's blueprints, once they are registered."""
    for blueprint in app.blueprints.values():
        max_age: Any = getattr(blueprint, "get_send_file_max_age", None)
        if max_age is not None and not isinstance(max_age, BlueprintMaxAge):
            blueprint.get_send_file_max_age = BlueprintMaxAge(max_age)  # type: ignore[attr-defined]


def has_default_headers(response: werkzeug.Response, environ: dict[str, Any]) -> bool:
    """Return whether the response still has the default Cache-Control of `send_file`."""
    if _ANSWERS_KEY not in environ:
        return False
    _, answer = environ[_ANSWERS_KEY]
    return response.headers.getlist("Cache-Control") == [_default_cache_control(answer)]


def remove_default_headers(response: werkzeug.Response) -> None:
    """Remove the headers that `send_file` wrote, so that a policy can be written."""
    del response.headers["Cache-Control"]
    del response.headers["Expires"]


def restore_app_default(response: Response, environ: dict[str, Any]) -> None:
    """Write the app's own default, if no policy applies to the response."""
    max_age, _ = environ[_ANSWERS_KEY]
    remove_default_headers(response)
    response.headers["Cache-Control"] = _default_cache_control(max_age)


def _default_cache_control(max_age: int | None) -> str:
    """Return the Cache-Control that Werkzeug's `send_file` writes for a max_age."""
    if max_age is None:
        return "no-cache"
    return f"public, max-age={max_age}" if max_age > 0 else f"no-cache, max-age={max_age}"
