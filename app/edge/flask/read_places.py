"""Record at which line a request reads the session, the user and its other private inputs.

Flask's session and `flask.g` tell nothing about their reads, so their classes are replaced for the
request by subclasses that record each assignment of the attributes that matter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import current_app, g, has_request_context
from flask.globals import request_ctx

from ..dependencies.current_record import current_record
from ..dependencies.read_places import ReadPlaces
from .request import get_request_reads

if TYPE_CHECKING:
    from flask import Flask, Request

_SESSION_READS = {"accessed": "session-read", "modified": "session-changed"}


def record_read_places(app: Flask, request: Request) -> None:
    """Record the places of all reads of a request from now on."""
    places = ReadPlaces(app.root_path)
    get_request_reads(request).places = places
    record = current_record()
    if record is not None:
        record.places = places
    _observe(request_ctx._session)  # noqa: SLF001 - flask.session would count as a read
    _observe(g._get_current_object())  # noqa: SLF001 - the object itself


def _observe(thing: Any) -> None:
    """Give an object a class that records assignments; one that forbids it has no places."""
    try:
        observing: Any = _observing_class
        object.__setattr__(thing, "__class__", observing(type(thing)))
    except TypeError:
        return


@lru_cache(maxsize=32)
def _observing_class(original: Any) -> Any:
    if hasattr(original, "edge_observes"):
        return original

    def record_assignment(self: Any, name: str, value: Any) -> None:
        if value is not False and (code := _code_of(name)) and has_request_context():
            places = get_request_reads(request_ctx.request).places
            if places is not None:
                places.add(code)
        original.__setattr__(self, name, value)

    members = {"__slots__": (), "__setattr__": record_assignment, "edge_observes": True}
    return type(original.__name__, (original,), members)


def _code_of(name: str) -> str | None:
    """Return the guard's code that an attribute of the session or of `flask.g` stands for."""
    if name in _SESSION_READS:
        return _SESSION_READS[name]
    if name == "_login_user":
        return "user-read"
    if name == current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"):
        return "csrf-token"
    return None
