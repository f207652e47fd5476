from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.publishing import actions
from app.publishing.editing.status_transitions import TRANSITIONS, StatusAction, next_status
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Post, Status
from app.publishing.permissions import SYSTEM

DAY = timedelta(days=1)


def do(verb: StatusAction, post: Post, now: datetime) -> Post:
    """Do `verb` to the post; scheduling is for tomorrow."""
    if verb is StatusAction.SCHEDULE:
        return actions.schedule(
            post.id, now + DAY, expected_version=post.version, now=now, actor=SYSTEM
        )
    return {
        StatusAction.PUBLISH: actions.publish,
        StatusAction.UNPUBLISH: actions.unpublish,
        StatusAction.ARCHIVE: actions.archive,
    }[verb](post.id, expected_version=post.version, now=now, actor=SYSTEM)


WAY = {
    Status.DRAFT: (),
    Status.SCHEDULED: (StatusAction.SCHEDULE,),
    Status.PUBLISHED: (StatusAction.PUBLISH,),
    Status.ARCHIVED: (StatusAction.ARCHIVE,),
}


@pytest.mark.parametrize(("status", "verb"), list(itertools.product(Status, StatusAction)))
def test_every_verb_leads_where_the_table_says(
    article: Post, now: datetime, status: Status, verb: StatusAction
) -> None:
    """What the table does not allow is a Conflict in a sentence."""
    for step in WAY[status]:
        article = do(step, article, now)
    assert article.status is status
    if (status, verb) not in TRANSITIONS:
        with pytest.raises(Conflict, match=r"\.$"):
            do(verb, article, now)
        return
    assert do(verb, article, now).status is TRANSITIONS[status, verb]


@pytest.mark.parametrize(("status", "verb"), list(TRANSITIONS))
def test_a_verb_that_leads_nowhere_new_writes_nothing(
    article: Post, now: datetime, dump: Callable[[], Any], status: Status, verb: StatusAction
) -> None:
    """Publishing twice is publishing once."""
    for step in WAY[status]:
        article = do(step, article, now)
    article = do(verb, article, now)
    before = dump()
    do(verb, article, now)
    assert dump() == before


def test_every_status_can_be_left_and_reached() -> None:
    """No status is a trap, and none but draft is where posts begin."""
    for status in Status:
        assert {
            next_status(status, StatusAction.UNPUBLISH),
            next_status(status, StatusAction.PUBLISH),
        } >= {Status.PUBLISHED}
        assert status is Status.DRAFT or status in {
            to for (source, _), to in TRANSITIONS.items() if source is not status
        }


def test_publishing_again_keeps_the_first_date(article: Post, now: datetime) -> None:
    """A correction must not bring an old article back to the top."""
    article = do(StatusAction.PUBLISH, article, now)
    article = do(StatusAction.UNPUBLISH, article, now + DAY)
    assert do(StatusAction.PUBLISH, article, now + 2 * DAY).published_at == now


def test_publishing_a_scheduled_post_early_dates_it_now(article: Post, now: datetime) -> None:
    """A public post never carries a date in the future."""
    article = do(StatusAction.SCHEDULE, article, now)
    assert do(StatusAction.PUBLISH, article, now + DAY / 2).published_at == now + DAY / 2


@pytest.mark.parametrize("verb", [StatusAction.UNPUBLISH, StatusAction.ARCHIVE])
def test_taking_back_a_plan_forgets_its_date(
    article: Post, now: datetime, verb: StatusAction
) -> None:
    """The date of a post that nobody saw was only a plan."""
    article = do(StatusAction.SCHEDULE, article, now)
    assert do(verb, article, now).published_at is None


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=1)])
def test_scheduling_needs_a_time_to_come(article: Post, now: datetime, ago: timedelta) -> None:
    """Now is too late."""
    with pytest.raises(Invalid, match="past"):
        actions.schedule(article.id, now - ago, expected_version=1, now=now, actor=SYSTEM)


def test_what_is_due_becomes_public_at_its_second(article: Post, now: datetime) -> None:
    """Not a second earlier, and only once."""
    do(StatusAction.SCHEDULE, article, now)
    assert actions.publish_due(now + DAY - timedelta(seconds=1), actor=SYSTEM) == []
    assert actions.publish_due(now + DAY, actor=SYSTEM) == [article.id]
    assert actions.publish_due(now + DAY, actor=SYSTEM) == []
    assert (article.status, article.published_at) == (Status.PUBLISHED, now + DAY)


def test_a_stale_version_stops_every_verb(article: Post, now: datetime) -> None:
    """An editor can't publish a text that somebody else changed meanwhile."""
    for verb in (actions.publish, actions.unpublish, actions.archive):
        with pytest.raises(Conflict, match="you saw version 9"):
            verb(article.id, expected_version=9, now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="you saw version 9"):
        actions.schedule(article.id, now + DAY, expected_version=9, now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="you saw version 9"):
        actions.rename(article.id, "other", expected_version=9, now=now, actor=SYSTEM)
