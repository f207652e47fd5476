"""How public a post is, and the reasons for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeAlias

from app.publishing.importing.configuration import Tool


class State(IntEnum):
    """How public a post is; a higher value is stricter.

    An unlisted post is stored as a draft, so it is stricter than a scheduled one, which will be in
    all lists at its date.
    """

    PUBLISHED = 0
    SCHEDULED = 1
    UNLISTED = 2
    ARCHIVED = 3
    DRAFT = 4
    SKIPPED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one key means for a post; `sentence` is empty where there is nothing to look at."""

    key: str
    state: State
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The decision: the state, when the post is or was published, and every reason."""

    state: State
    publish_at: datetime | None
    reasons: tuple[Reason, ...]

    @property
    def remarks(self) -> Iterator[Reason]:
        """The reasons that a person should look at."""
        return (reason for reason in self.reasons if reason.sentence)


Judge: TypeAlias = Callable[[str, Any, Tool | None], Reason | None]
"""Takes the key, its value and the tool; None where the value does not restrict the post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the table: its keys, the tools that use them, what they do here."""

    keys: tuple[str, ...]
    tools: str
    effect: str
    judge: Judge


PUBLIC = Publication(state=State.PUBLISHED, publish_at=None, reasons=())
"""A post without a key that restricts it."""
