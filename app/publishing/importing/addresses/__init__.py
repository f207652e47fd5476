"""The addresses at which the old site served a post."""

from .finding import OldAddresses, find_addresses

__all__ = ["OldAddresses", "find_addresses"]
