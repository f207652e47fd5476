"""The key under which an origin in the same process tells the gateway why it does not share."""

from __future__ import annotations

from typing import Final

from ..name import NAME

FINDING_KEY: Final = f"{NAME}.finding"
"""WSGI environ key of the code of the guard's finding."""
