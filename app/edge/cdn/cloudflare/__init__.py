"""Cloudflare: the purge driver and the Cache Rules."""

from .driver import make_driver

__all__ = ["make_driver"]
