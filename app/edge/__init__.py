"""The caching library: what a page promises, and every cache keeping it."""
