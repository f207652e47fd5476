"""Helpers of several actions: validation, look-ups and writes inside the caller's transaction."""
