"""Broadsheet: a publishing app made to live behind a CDN."""
