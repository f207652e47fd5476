"""The paths below which every response is private: no cache stores it, no search engine lists it.

Pure. The gateway, the layers, the error handlers and the audit use the same test.
"""

from __future__ import annotations

import posixpath
import re

PREFIXES = ("/studio", "/preview")
"""The studio, and the previews that it gives to others."""

_SLASHES = re.compile(r"[/\\]+")


def is_private(path: str) -> bool:
    """Tell whether a decoded path is one of `PREFIXES` or below it, in any spelling.

    Case, repeated slashes, backslashes, dot segments and a slash at the end make no difference,
    because a redirect from another spelling is private too.
    """
    plain = _SLASHES.sub("/", "/" + path.lower())
    return _begins(plain) or ("/." in plain and _begins(posixpath.normpath(plain)))


def _begins(path: str) -> bool:
    segment = "/" + path.split("/", 2)[1].strip()
    return segment in PREFIXES
