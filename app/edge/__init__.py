"""The caching library: what a page promises, and every cache keeping it."""

from .marks import cache_control, cached
from .policy import NO_STORE, Freshness, Policy, PolicyError

__all__ = [
    "NO_STORE",
    "Freshness",
    "Policy",
    "PolicyError",
    "cache_control",
    "cached",
]
