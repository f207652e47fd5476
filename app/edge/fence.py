"""The fence: code of the library that runs inside the application's own work never breaks it.

An unexpected exception becomes a log line, once for each place, and the caller carries on with
the answer that is safe: the response is not shared.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from .reads import recorder

_log = logging.getLogger(__name__)
_logged: set[str] = set()
_MOST_LOGGED = 1000
"""Places are few; were they made up from data, the log would not be flooded all the same."""


def describe(error: BaseException, during: str) -> str:
    """Log an unexpected exception, once for each place; return a sentence that names the place."""
    place = _place(error)
    sentence = f"the edge failed {during} ({type(error).__name__} at {place})"
    key = f"{during} {type(error).__name__} {place}"
    if key not in _logged and len(_logged) < _MOST_LOGGED:
        _logged.add(key)
        extra = {"during": during, "place": place}
        _log.error("edge.failed: %s: %s", sentence, error, exc_info=error, extra=extra)
    return sentence


@contextmanager
def fenced(during: str) -> Iterator[None]:
    """Run the library's code inside the application's; a failure spoils the response's record."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the application did nothing wrong
        sentence = describe(error, during)
        record = recorder.current()
        if record is not None:
            record.spoil(sentence)


def _place(error: BaseException) -> str:
    """The file and line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
