"""Keep Flask-Login from reading the session of each request, which would make each page private.

Flask-Login does so in two places. Its context processor loads the user for every template: it is
replaced by one that gives the proxy `current_user`, which loads the user when it is used. Its
`after_request` function looks whether the remember cookie must be written: it is replaced by one
that looks without a recorded read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flask import current_app, has_request_context
from flask.globals import request_ctx

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    ContextProcessor = Callable[[], dict[str, Any]]
    AfterRequest = Callable[[Response], Any]

_UTILS = "flask_login.utils"
_REMEMBER = "_remember"
"""The key of the session in which Flask-Login notes that the remember cookie must be written."""


def make_flask_login_lazy(app: Flask) -> None:
    """Replace Flask-Login's functions that read the session of each request, if the app has them.

    Call it after all extensions are registered. Where this version of Flask-Login has other
    functions, nothing changes.
    """
    utils = sys.modules.get(_UTILS)
    processor = getattr(utils, "_user_context_processor", None)
    proxy = getattr(utils, "current_user", None)
    if processor is not None and proxy is not None:
        processors: list[Any] = app.template_context_processors[None]
        _replace(processors, processor, _lazy_processor(processor, proxy))
    update = getattr(getattr(app, "login_manager", None), "_update_remember_cookie", None)
    if utils is not None and update is not None:
        _replace(app.after_request_funcs.get(None, []), update, _lazy_update(update))


def _replace(functions: list[Any], old: object, new: object) -> None:
    """Replace a function in place, so that the order of the functions stays."""
    functions[:] = [new if function == old else function for function in functions]


def _lazy_processor(original: Callable[[], Any], proxy: object) -> ContextProcessor:
    """Return a processor with the proxy in place of the user that `original` would load."""

    def provide_current_user() -> dict[str, Any]:
        if not has_request_context() or _may_have_no_user(current_app):
            return dict(original())
        return {"current_user": proxy}

    return provide_current_user


def _may_have_no_user(app: Flask) -> bool:
    """Return whether `current_user` may be None, for which a proxy is no substitute.

    A proxy of None is not `none` in a template. Only a function as `anonymous_user` returns None.
    """
    login_manager = getattr(app, "login_manager", None)
    return not isinstance(getattr(login_manager, "anonymous_user", None), type)


def _lazy_update(original: AfterRequest) -> AfterRequest:
    """Return a function that calls `original` unless it would only look at the session."""

    def update_remember_cookie(response: Response) -> Any:
        return original(response) if _has_to_update() else response

    return update_remember_cookie


def _has_to_update() -> bool:
    """Return whether Flask-Login may write or delete its remember cookie, or its session."""
    if current_app.config.get("REMEMBER_COOKIE_REFRESH_EACH_REQUEST"):
        return True
    session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
    return session is None or _REMEMBER in session
