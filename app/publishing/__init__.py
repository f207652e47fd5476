"""The domain: what is written, by whom, and what becomes of it."""
