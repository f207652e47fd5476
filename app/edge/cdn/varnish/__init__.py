"""Varnish: the purge driver and the VCL."""

from .driver import make

__all__ = ["make"]
