"""The caching library: policies for pages, and purging of every cache that stores them."""

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
