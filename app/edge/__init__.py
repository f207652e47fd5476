"""The caching library: what a page promises, and every cache keeping it."""

from .policy.decorators import cache_control, cached
from .policy.policy import NO_STORE, Freshness, Policy, PolicyError

__all__ = [
    "NO_STORE",
    "Freshness",
    "Policy",
    "PolicyError",
    "cache_control",
    "cached",
]
