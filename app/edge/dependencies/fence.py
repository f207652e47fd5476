"""Contain errors of this library, so that they never break the host application.

An unexpected exception is logged once for each place where it occurs, and the response is not
shared.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from .current_record import current_record

_log = logging.getLogger(__name__)
_logged: set[str] = set()
_MAX_LOGGED = 1000
"""A limit for the log, in case places should be unbounded."""


def describe(error: BaseException, during: str) -> str:
    """Log an unexpected exception once for each place; return a sentence that names the place."""
    place = _place(error)
    sentence = f"the edge failed {during} ({type(error).__name__} at {place})"
    key = f"{during} {type(error).__name__} {place}"
    if key not in _logged and len(_logged) < _MAX_LOGGED:
        _logged.add(key)
        extra = {"during": during, "place": place}
        _log.error("edge.failed: %s: %s", sentence, error, exc_info=error, extra=extra)
    return sentence


@contextmanager
def fenced(during: str) -> Iterator[None]:
    """Run code of this library; an error marks the current response unshareable."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the application must not fail
        sentence = describe(error, during)
        record = current_record()
        if record is not None:
            record.set_unshareable(sentence)


def _place(error: BaseException) -> str:
    """Return the file and line that raised the exception."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
