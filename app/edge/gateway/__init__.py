"""The embedded edge: a shared HTTP cache (RFC 9111) as WSGI middleware around any WSGI app.

Law of the room: no framework, no database. Right before it is fast; in doubt a page is passed on.
"""

from .gateway import Gateway
from .options import Options
from .store.memory import MemoryStore

__all__ = ["Gateway", "MemoryStore", "Options"]
