"""A caching library: what a response promises, and every cache keeping it."""
