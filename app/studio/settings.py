"""The settings of the site: one form, made from the table of settings."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.actions import SiteDraft
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.local_times import describe, zone_names
from app.publishing.queries import scheduled, site
from app.publishing.site_settings import TEXT_SETTINGS, Kind

from .forms import read_version
from .guard import current_actor, now
from .setting_fields import (
    ON,
    Field,
    editable_settings,
    group_fields,
    read_columns,
    read_texts,
    to_text,
)

bp = Blueprint("settings", __name__)


@bp.get("/settings")
def show() -> ResponseReturnValue:
    """Show the settings as they are stored."""
    return _render(_stored_texts())


@bp.post("/settings")
def save() -> ResponseReturnValue:
    """Save the settings and lead to the page about what this refreshes."""
    texts = read_texts(request.form)
    columns, errors = read_columns(texts)
    if errors:
        return _render(texts, errors=errors, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    version = read_version(request.form)
    if _needs_confirmation(columns["time_zone"]):
        return _render(texts, new_zone=columns["time_zone"], version=version)
    try:
        publication = actions.publish_site(
            SiteDraft(**columns), expected_version=version or None, now=now(), actor=current_actor()
        )
    except Invalid as error:
        return _render(texts, errors={error.field: error}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except (Conflict, Missing) as error:
        return _render(texts, notice=str(error), status=HTTPStatus.CONFLICT)
    target = url_for("studio.publishing.show", publication_id=publication.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _needs_confirmation(new_zone: str) -> bool:
    """Tell whether scheduled posts get another local time that the owner has not seen yet."""
    is_seen = request.form.get("seen_zone") == new_zone
    return not is_seen and new_zone != site.time_zone() and bool(scheduled.list_due_times())


def _stored_texts() -> dict[str, str]:
    values = site.stored_columns()
    return {
        setting.name: to_text(setting, values[setting.column]) for setting in editable_settings()
    }


def _render(
    texts: Mapping[str, str],
    *,
    errors: Mapping[str, Invalid] | None = None,
    notice: str = "",
    new_zone: str = "",
    version: int | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    is_loaded_again = bool(notice) or request.method == "GET"
    current = site.stored_version() or 0
    form_version = read_version(request.form) if version is None else version
    page = render_template(
        "studio/settings/show.html",
        groups=group_fields(_make_fields(texts, errors or {}, compare=bool(notice))),
        version=current if is_loaded_again else form_version,
        images=site.list_images(),
        zones=zone_names(),
        kinds=Kind,
        on=ON,
        text_settings=TEXT_SETTINGS,
        error_count=len(errors or {}),
        notice=notice,
        new_zone=new_zone,
        moved=_describe_due_times(new_zone) if new_zone else [],
    )
    return make_response(page, status)


def _make_fields(
    texts: Mapping[str, str], errors: Mapping[str, Invalid], *, compare: bool
) -> dict[str, Field]:
    saved_texts: Mapping[str, Any] = _stored_texts() if compare else texts
    return {
        setting.name: Field(
            setting=setting,
            text=texts[setting.name],
            error=str(errors.get(setting.name, "")),
            stored_text=saved_texts[setting.name]
            if saved_texts[setting.name] != texts[setting.name]
            else None,
        )
        for setting in editable_settings()
    }


def _describe_due_times(new_zone: str) -> list[tuple[str, str, str]]:
    """Return the title of each scheduled post with its old and its new local time."""
    old_zone = site.time_zone()
    return [
        (title, describe(due, old_zone), describe(due, new_zone))
        for title, due in scheduled.list_due_times()
    ]
