"""bunny.net: the purge driver and the pull zone settings."""

from .driver import make

__all__ = ["make"]
