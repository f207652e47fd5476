"""Give templates Flask-Login's `current_user` as a proxy that loads the user when it is used.

Flask-Login's own context processor loads the user for every template. This reads the session, so
that the guard would refuse to share each page, also those that show no user.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flask import current_app, has_request_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    ContextProcessor = Callable[[], dict[str, Any]]

_UTILS = "flask_login.utils"


def use_lazy_current_user(app: Flask) -> None:
    """Replace Flask-Login's context processor in an app, if the app has it.

    Call it after all extensions are registered. Nothing changes if this version of Flask-Login has
    no such processor.
    """
    utils = sys.modules.get(_UTILS)
    original = getattr(utils, "_user_context_processor", None)
    proxy = getattr(utils, "current_user", None)
    if original is None or proxy is None:
        return
    processors = app.template_context_processors[None]
    for index, processor in enumerate(processors):
        if processor is original:
            processors[index] = _lazy_processor(original, proxy)


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
