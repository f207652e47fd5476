"""Redirects of the old site: read from the files of its tool and its host, and saved here."""
