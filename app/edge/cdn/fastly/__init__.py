"""Fastly: the purge driver and the VCL snippets."""

from .driver import make_driver

__all__ = ["make_driver"]
