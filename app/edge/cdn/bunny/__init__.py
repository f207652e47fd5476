"""bunny.net: the purge driver and the pull zone settings."""

from .driver import make_driver

__all__ = ["make_driver"]
