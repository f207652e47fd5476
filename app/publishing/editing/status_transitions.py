"""The life of a post: which verb leads from which status to which, as one table."""

from __future__ import annotations

from enum import StrEnum

from app.publishing.errors import Conflict
from app.publishing.models import Status


class Verb(StrEnum):
    """What can be done to a post's status."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    SCHEDULE = "schedule"
    ARCHIVE = "archive"


TRANSITIONS: dict[tuple[Status, Verb], Status] = {
    (Status.DRAFT, Verb.PUBLISH): Status.PUBLISHED,
    (Status.DRAFT, Verb.UNPUBLISH): Status.DRAFT,
    (Status.DRAFT, Verb.SCHEDULE): Status.SCHEDULED,
    (Status.DRAFT, Verb.ARCHIVE): Status.ARCHIVED,
    (Status.SCHEDULED, Verb.PUBLISH): Status.PUBLISHED,
    (Status.SCHEDULED, Verb.UNPUBLISH): Status.DRAFT,
    (Status.SCHEDULED, Verb.SCHEDULE): Status.SCHEDULED,
    (Status.SCHEDULED, Verb.ARCHIVE): Status.ARCHIVED,
    (Status.PUBLISHED, Verb.PUBLISH): Status.PUBLISHED,
    (Status.PUBLISHED, Verb.UNPUBLISH): Status.DRAFT,
    (Status.PUBLISHED, Verb.ARCHIVE): Status.ARCHIVED,
    (Status.ARCHIVED, Verb.PUBLISH): Status.PUBLISHED,
    (Status.ARCHIVED, Verb.UNPUBLISH): Status.DRAFT,
    (Status.ARCHIVED, Verb.ARCHIVE): Status.ARCHIVED,
}
"""Every allowed step; what is not here is refused."""

_REFUSED = {
    Status.PUBLISHED: "It is already public. Unpublish it first, then schedule it.",
    Status.ARCHIVED: "It is archived. Make it a draft first, then schedule it.",
}


def after(status: Status, verb: Verb) -> Status:
    """The status that `verb` leads to; raises Conflict where there is no such step."""
    found = TRANSITIONS.get((status, verb))
    if found is None:
        raise Conflict(_REFUSED[status])
    return found
