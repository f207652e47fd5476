"""The list of sites whose pages a store holds, so that a purge of a path covers all of them.

Processes with different settings may share one store, and each stores pages under the URL of its
own site. The list is stored in the store itself, so that any process can purge any page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = b"sites"

_TOO_MANY = b"*"
"""The entry that replaces further sites when the list is full."""


class Lists(Protocol):
    """Stores short lists for all processes of a machine."""

    def get_metadata(self, name: bytes) -> bytes | None:
        """Return the lines stored under a name."""

    def enlist(self, name: bytes, line: bytes, *, full: bytes) -> bool:
        """Add a line to the list under a name, or add `full` if the list has no room."""


class Sites:
    """The sites of one store."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    def add(self, site: str) -> bool:
        """Add a site before its first page is stored; return False if that failed."""
        return self._lists.enlist(_NAME, site.encode(), full=_TOO_MANY)

    def list_sites(self) -> tuple[str, ...] | None:
        """Return the sites in the list; None if it had no room for all of them."""
        lines = (self._lists.get_metadata(_NAME) or b"").split(b"\n")
        return None if _TOO_MANY in lines else tuple(_decoded(lines))


def _decoded(lines: list[bytes]) -> Iterator[str]:
    yield from (line.decode(errors="replace") for line in lines if line)
