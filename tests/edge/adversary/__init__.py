"""Ordinary queries and ordinary writes of an app; no page may be stale after a write."""
