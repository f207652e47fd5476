"""Cloudflare: the purge driver and the Cache Rules."""

from .driver import make

__all__ = ["make"]
