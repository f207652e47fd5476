"""Keep the policy of a route for `send_file` without `max_age`.

Without `max_age` Flask's `send_file` asks the app for one. If the app has none, it writes
`Cache-Control: no-cache`, which would replace the policy of the route like a header that the view
wrote itself. Where the route has a policy, this module therefore answers 0. Werkzeug then writes
`no-cache, max-age=0`, which tells its own default apart from a `no-cache` written by the view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

_ANSWERS_KEY = "edge.send_file_max_age"
"""The key of a WSGI environment under which the last pair of answers is kept."""


def install(app: Flask, has_policy: Callable[[str | None], bool]) -> None:
    """Replace `app.get_send_file_max_age`; `has_policy` tells it for an endpoint."""
    app_default = app.get_send_file_max_age

    def get_send_file_max_age(filename: str | None) -> int | None:
        max_age = app_default(filename)
        if not has_request_context():
            return max_age
        answer = 0 if has_policy(request.endpoint) else max_age
        request.environ[_ANSWERS_KEY] = (max_age, answer)
        return answer

    app.get_send_file_max_age = get_send_file_max_age  # type: ignore[method-assign]  # per app


def has_default_headers(response: Response, environ: dict[str, Any]) -> bool:
    """Tell whether the response still has the Cache-Control that `send_file` writes by default."""
    if _ANSWERS_KEY not in environ:
        return False
    _, answer = environ[_ANSWERS_KEY]
    return response.headers.getlist("Cache-Control") == [_default_cache_control(answer)]


def remove_default_headers(response: Response) -> None:
    """Remove what `send_file` wrote, so that a policy can take its place."""
    del response.headers["Cache-Control"]
    del response.headers["Expires"]


def restore_app_default(response: Response, environ: dict[str, Any]) -> None:
    """Write the app's own default where no policy holds for the response after all."""
    max_age, _ = environ[_ANSWERS_KEY]
    remove_default_headers(response)
    response.headers["Cache-Control"] = _default_cache_control(max_age)


def _default_cache_control(max_age: int | None) -> str:
    """Return the Cache-Control that Werkzeug's `send_file` writes for a max_age."""
    if max_age is None:
        return "no-cache"
    return f"public, max-age={max_age}" if max_age > 0 else f"no-cache, max-age={max_age}"
