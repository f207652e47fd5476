"""The caching library: policies for pages, and purging of every cache that stores them."""

from typing import TYPE_CHECKING

from .lazy_exports import export_lazily
from .policy.decorators import cache_control, cached
from .policy.durations import days, hours, minutes, seconds
from .policy.policy import NO_STORE, Freshness, Policy, PolicyError

if TYPE_CHECKING:
    from .flask.extension import Edge
else:
    __getattr__ = export_lazily(__name__, {"Edge": "flask.extension"})

__all__ = [
    "NO_STORE",
    "Edge",
    "Freshness",
    "Policy",
    "PolicyError",
    "cache_control",
    "cached",
    "days",
    "hours",
    "minutes",
    "seconds",
]
