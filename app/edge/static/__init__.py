"""Fingerprinted static files."""
