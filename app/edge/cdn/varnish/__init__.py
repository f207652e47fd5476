"""Varnish: the purge driver and the VCL."""

from .driver import make_driver

__all__ = ["make_driver"]
