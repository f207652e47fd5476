"""The gateway: a shared HTTP cache (RFC 9111) as WSGI middleware around any WSGI application.

It uses no framework and no database. If it is not certain that a response may be stored, it passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .gateway import Gateway
    from .options import Options
    from .store.memory import MemoryStore
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "Gateway": "gateway",
            "MemoryStore": "store.memory",
            "Options": "options",
        },
    )

__all__ = ["Gateway", "MemoryStore", "Options"]
