"""The gateway: a shared HTTP cache (RFC 9111) as WSGI middleware around any WSGI application.

It uses no framework and no database. If it is not certain that a response may be stored, it passes.
"""

from .gateway import Gateway
from .options import Options
from .store.memory import MemoryStore

__all__ = ["Gateway", "MemoryStore", "Options"]
