"""The sites whose pages a store holds: a purge of a path must reach the keys of all of them.

Processes with different settings may share one store, and each keeps pages under the address of
its own site. The list is kept in the store itself, so that any process can purge any page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = b"sites"

_TOO_MANY = b"*"
"""Stands for sites that found no room in the list."""


class Lists(Protocol):
    """Keeps short lists for all processes of a machine."""

    def get_metadata(self, name: bytes) -> bytes | None:
        """The lines that were listed under a name."""

    def enlist(self, name: bytes, line: bytes, *, full: bytes) -> bool:
        """Add a line to the list of a name, or `full` where there is no room for it."""


class Sites:
    """The sites of one store."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    def add(self, site: str) -> bool:
        """List a site before its first page is stored; False when that could not be written."""
        return self._lists.enlist(_NAME, site.encode(), full=_TOO_MANY)

    def list_sites(self) -> tuple[str, ...] | None:
        """The sites that were listed; None when there are more than the list has room for."""
        lines = (self._lists.get_metadata(_NAME) or b"").split(b"\n")
        return None if _TOO_MANY in lines else tuple(_decoded(lines))


def _decoded(lines: list[bytes]) -> Iterator[str]:
    yield from (line.decode(errors="replace") for line in lines if line)
