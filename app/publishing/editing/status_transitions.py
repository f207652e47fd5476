"""The allowed changes of a post's status, as one table."""

from __future__ import annotations

from enum import StrEnum

from app.publishing.errors import Conflict
from app.publishing.models import Status


class StatusAction(StrEnum):
    """The actions that change a post's status."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    SCHEDULE = "schedule"
    ARCHIVE = "archive"


TRANSITIONS: dict[tuple[Status, StatusAction], Status] = {
    (Status.DRAFT, StatusAction.PUBLISH): Status.PUBLISHED,
    (Status.DRAFT, StatusAction.UNPUBLISH): Status.DRAFT,
    (Status.DRAFT, StatusAction.SCHEDULE): Status.SCHEDULED,
    (Status.DRAFT, StatusAction.ARCHIVE): Status.ARCHIVED,
    (Status.SCHEDULED, StatusAction.PUBLISH): Status.PUBLISHED,
    (Status.SCHEDULED, StatusAction.UNPUBLISH): Status.DRAFT,
    (Status.SCHEDULED, StatusAction.SCHEDULE): Status.SCHEDULED,
    (Status.SCHEDULED, StatusAction.ARCHIVE): Status.ARCHIVED,
    (Status.PUBLISHED, StatusAction.PUBLISH): Status.PUBLISHED,
    (Status.PUBLISHED, StatusAction.UNPUBLISH): Status.DRAFT,
    (Status.PUBLISHED, StatusAction.ARCHIVE): Status.ARCHIVED,
    (Status.ARCHIVED, StatusAction.PUBLISH): Status.PUBLISHED,
    (Status.ARCHIVED, StatusAction.UNPUBLISH): Status.DRAFT,
    (Status.ARCHIVED, StatusAction.ARCHIVE): Status.ARCHIVED,
}
"""Every allowed transition; all others are refused."""

_REFUSED = {
    Status.PUBLISHED: "It is already public. Unpublish it first, then schedule it.",
    Status.ARCHIVED: "It is archived. Make it a draft first, then schedule it.",
}


def next_status(status: Status, action: StatusAction) -> Status:
    """Return the status after `action`; raises Conflict if the transition is not allowed."""
    target = TRANSITIONS.get((status, action))
    if target is None:
        raise Conflict(_REFUSED[status])
    return target
