"""Publish a working copy: what it will refresh, the decision, and how far each tier has got."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.edge.pages.impact import Impact
from app.publishing import actions
from app.publishing.actions import CopyFields, Release, Timing
from app.publishing.actions.publish_copy import OpenForkError, OutdatedCopyError
from app.publishing.dry_run import pages_touched_by
from app.publishing.editing.working_copies import StaleCopyError
from app.publishing.errors import Conflict, Forbidden, Invalid, Missing, PublishingError
from app.publishing.local_times import (
    AmbiguousTimeError,
    LocalTime,
    describe,
    to_instant,
    zone_names,
)
from app.publishing.models import Post, Publication, Status, WorkingCopy
from app.publishing.queries import publications, site, working_copies

from .costs import estimate_costs
from .forms import read_version
from .guard import current_actor, now

bp = Blueprint("publishing", __name__)

PUBLISH = Release(timing=Timing.NOW)
POLL_FOR = 600
"""Seconds after which the panel stops asking."""


@bp.get("/copies/<number:copy_id>/publish")
def plan(copy_id: int) -> ResponseReturnValue:
    """Show what publishing the copy would refresh, and ask when."""
    copy = working_copies.by_id(copy_id, current_actor())
    return _render_plan(copy)


@bp.get("/copies/<number:copy_id>/plan.json")
def plan_json(copy_id: int) -> ResponseReturnValue:
    """Return what publishing the copy would refresh."""
    copy = working_copies.by_id(copy_id, current_actor())
    impact, problem = rehearse(copy.id, copy.version)
    if impact is None:
        return jsonify(problem=str(problem)), HTTPStatus.CONFLICT
    costs = [cost.to_json() for cost in estimate_costs(impact)]
    return jsonify({**impact.to_json(), "costs": costs})


def rehearse(copy_id: int, version: int) -> tuple[Impact | None, PublishingError | None]:
    """Publish the copy and roll back; return the pages that it refreshes, or why it is refused."""
    instant, actor = now(), current_actor()
    try:
        impact = pages_touched_by(
            lambda: actions.publish_copy(
                copy_id, PUBLISH, version=version, now=instant, actor=actor
            ),
            "Publishing",
        )
    except PublishingError as error:
        return None, error
    return impact, None


def _render_plan(
    copy: WorkingCopy,
    *,
    error: PublishingError | None = None,
    typed: LocalTime | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    copy_id = copy.id
    impact, problem = rehearse(copy_id, copy.version)
    copy = working_copies.by_id(copy_id, current_actor())
    zone = site_zone()
    choices = error.choices if isinstance(error, AmbiguousTimeError) else ()
    page = render_template(
        "studio/publishing/plan.html",
        copy=copy,
        fields=CopyFields.from_json(copy.fields),
        post=working_copies.post_of(copy),
        impact=impact,
        problem=problem,
        remedy=_remedy(copy, problem),
        costs=estimate_costs(impact) if impact else [],
        error=error,
        typed=typed or LocalTime(text="", zone=zone),
        choices=[(choice, describe(choice, typed.zone if typed else zone)) for choice in choices],
        zones=sorted({*zone_names(), zone}),
        Status=Status,
        describe=describe,
        zone=zone,
    )
    return make_response(page, status)


def site_zone() -> str:
    """Return the name of the site's time zone."""
    return site.time_zone()


def _remedy(copy: WorkingCopy, problem: PublishingError | None) -> str:
    """Return the address of the page on which the user can solve the problem."""
    if isinstance(problem, OutdatedCopyError):
        return url_for("studio.copies.newer", copy_id=copy.id)
    if isinstance(problem, OpenForkError | StaleCopyError | Invalid):
        return url_for("studio.copies.edit", copy_id=copy.id)
    return ""


@bp.post("/copies/<number:copy_id>/save")
def save(copy_id: int) -> ResponseReturnValue:
    """Save the copy to its post, which stays a draft or scheduled."""
    answer = _publish(copy_id, lambda _due: Release(timing=Timing.LATER))
    if isinstance(answer, Publication):
        target = url_for("studio.copies.edit", copy_id=copy_id, note="post")
        return redirect(target, HTTPStatus.SEE_OTHER)
    return answer


@bp.post("/copies/<number:copy_id>/publish")
def publish(copy_id: int) -> ResponseReturnValue:
    """Publish the copy now."""
    has_new_date = request.form.get("date") == "new"
    return _lead_to_panel(
        _publish(copy_id, lambda _due: Release(timing=Timing.NOW, new_date=has_new_date))
    )


@bp.post("/copies/<number:copy_id>/schedule")
def schedule(copy_id: int) -> ResponseReturnValue:
    """Publish the copy at a time in the future."""
    return _lead_to_panel(
        _publish(copy_id, lambda due: Release(timing=Timing.AT, due=due), is_timed=True)
    )


def _lead_to_panel(answer: Publication | Response) -> ResponseReturnValue:
    if isinstance(answer, Response):
        return answer
    target = url_for("studio.publishing.show", publication_id=answer.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _publish(
    copy_id: int, make_release: Callable[[datetime | None], Release], *, is_timed: bool = False
) -> Publication | Response:
    """Publish, or show the plan with what is wrong. Pressed twice, it returns the first record."""
    typed: LocalTime | None = None
    try:
        due = None
        if is_timed:
            typed = _read_time()
            due = _read_due(typed)
        return actions.publish_copy(
            copy_id,
            make_release(due),
            version=read_version(request.form),
            now=now(),
            actor=current_actor(),
        )
    except Missing:
        publication = publications.of_copy(copy_id)
        if publication is None:
            raise
        return publications.by_id(publication.id, current_actor())
    except Forbidden:
        raise
    except (Invalid, Conflict) as error:
        copy = working_copies.by_id(copy_id, current_actor())
        is_invalid = isinstance(error, Invalid)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_invalid else HTTPStatus.CONFLICT
        return _render_plan(copy, error=error, typed=typed, status=status)


def _read_time() -> LocalTime:
    """Return the date, the time and the zone of the form."""
    zone = request.form.get("zone", "UTC")
    return LocalTime(text=request.form.get("due", "").strip().replace(" ", "T"), zone=zone)


def _read_due(typed: LocalTime) -> datetime:
    """Return the instant that was chosen from two, or that the typed time means."""
    if choice := request.form.get("instant", ""):
        try:
            return datetime.fromisoformat(choice)
        except ValueError:
            raise Invalid("due", "Choose one of the times.") from None
    return to_instant(typed)


@bp.get("/publishing/<number:publication_id>")
def show(publication_id: int) -> ResponseReturnValue:
    """Show which pages a publication refreshes, and how far each tier has got."""
    publication = publications.by_id(publication_id, current_actor())
    post = publication.post
    return render_template(
        "studio/publishing/show.html",
        publication=publication,
        post=post,
        tiers=publications.progress_of(publication, now()),
        is_public=post is not None and post.status is Status.PUBLISHED,
        describe=describe,
        zone=site_zone(),
        poll_for=POLL_FOR,
        due=_due_of(post),
    )


def _due_of(post: Post | None) -> datetime | None:
    is_scheduled = post is not None and post.status is Status.SCHEDULED
    return post.published_at if post is not None and is_scheduled else None


@bp.get("/publishing/<number:publication_id>.json")
def progress(publication_id: int) -> ResponseReturnValue:
    """Return how far each tier has got."""
    publication = publications.by_id(publication_id, current_actor())
    tiers = publications.progress_of(publication, now())
    return jsonify(
        tiers=[tier.to_json() for tier in tiers],
        settled=all(tier.state is publications.TierState.FRESH for tier in tiers),
    )
