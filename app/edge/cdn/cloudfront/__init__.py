"""CloudFront: the purge driver and the distribution settings."""

from .driver import make_driver

__all__ = ["make_driver"]
