"""Queries for published content: each function runs its statements and returns rows.

They return published posts only and read no clock: a write publishes a scheduled post.
"""
