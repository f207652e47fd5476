"""Fastly: the purge driver and the VCL snippets."""

from .driver import make

__all__ = ["make"]
