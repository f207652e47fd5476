"""The library's name. A copy for another app changes `NAME` and nothing else.

Header fields, Cache-Status, Via, CDN-Loop, environ keys, the format marks of the store, the
User-Agent and the names in generated configurations are derived from it.
"""

from __future__ import annotations

import re
from typing import Final

NAME: Final = "broadsheet"
"""Lower-case letters and digits, in words joined by hyphens: `news-site`."""

if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", NAME):
    raise ValueError(
        f"NAME in {__file__} is {NAME!r}: write lower-case letters and digits, begin with a "
        "letter, and join words by single hyphens."
    )

TITLE: Final = "-".join(word.capitalize() for word in NAME.split("-"))
"""The name in sentences, and the prefix of header fields: `News-Site`."""

IDENTIFIER: Final = NAME.replace("-", "_")
"""The name as an identifier of VCL, nginx and Terraform: `news_site`."""

CACHE_CONTROL: Final = f"{TITLE}-Cache-Control"
"""The response field with the directives for the embedded gateway (RFC 9213)."""
