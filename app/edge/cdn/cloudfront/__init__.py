"""CloudFront: the purge driver and the distribution settings."""

from .driver import make

__all__ = ["make"]
