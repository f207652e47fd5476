"""A part of the program that a response depends on, such as a template or a setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A template, static file, setting or code, with the digest of its content."""

    kind: str
    name: str
    digest: str

    @property
    def log_table(self) -> str:
        """The table name of this kind of parts in the change log."""
        return f"part:{self.kind}"
