"""The access rule of every route of the studio, in one table.

A route without a rule is refused, so that a new view can't be open by mistake. The actions check
permissions again: see `app.publishing.permissions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.publishing.images import MAX_BYTES
from app.publishing.models import Role
from app.publishing.permissions import PERMISSIONS, Scope, Verb

TEXT_BYTES = 4 * 1024 * 1024
"""The largest body of a request that carries text."""

UPLOAD_BYTES = MAX_BYTES + 64 * 1024
"""The largest body of an upload: one image of the largest size, and the rest of the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """Who may use a route.

    `is_open`: without a session. `verb`: what the role must allow; None is enough for every user.
    `needs_proof`: the password was given a short time ago. `max_bytes`: the largest body.
    """

    is_open: bool = False
    verb: Verb | None = None
    needs_proof: bool = False
    max_bytes: int = TEXT_BYTES

    def __post_init__(self) -> None:
        if self.is_open and (self.verb is not None or self.needs_proof):
            raise ValueError("an open route needs no session, so it can't ask for a role")

    def allows(self, role: Role) -> bool:
        """Tell whether the role may use the route at all; the action checks the subject."""
        return self.verb is None or PERMISSIONS[role][self.verb] is not Scope.NONE


_OPEN = RouteRule(is_open=True)
_MEMBER = RouteRule()
_USERS = RouteRule(verb=Verb.MANAGE_USERS, needs_proof=True)
_LIST = RouteRule(verb=Verb.LIST_POSTS)
_CREATE = RouteRule(verb=Verb.CREATE_POST)
_EDIT = RouteRule(verb=Verb.EDIT_COPY)
_SAVE = RouteRule(verb=Verb.SAVE_DRAFT)
_REVIEW = RouteRule(verb=Verb.REQUEST_REVIEW)
_PUBLISH = RouteRule(verb=Verb.PUBLISH)
_REDIRECTS = RouteRule(verb=Verb.EDIT_REDIRECTS)
_SETTINGS = RouteRule(verb=Verb.SAVE_SITE)
_AUTHORS = RouteRule(verb=Verb.EDIT_AUTHORS)
_NEW_TOPIC = RouteRule(verb=Verb.CREATE_TOPIC)
_TOPICS = RouteRule(verb=Verb.EDIT_TOPICS)
_PAGES = RouteRule(verb=Verb.EDIT_PAGES)
_MERGE = RouteRule(verb=Verb.MERGE_TOPICS)
_UPLOAD = RouteRule(verb=Verb.UPLOAD_MEDIA, max_bytes=UPLOAD_BYTES)

RULES: Mapping[str, RouteRule] = {
    "studio.home.show": _MEMBER,
    "studio.login.show": _OPEN,
    "studio.login.log_in": _OPEN,
    "studio.login.log_out": _MEMBER,
    "studio.setup.show": _OPEN,
    "studio.setup.set_up": _OPEN,
    "studio.links.show": _OPEN,
    "studio.links.use": _OPEN,
    "studio.account.show": _MEMBER,
    "studio.account.change_password": _MEMBER,
    "studio.account.end_session": _MEMBER,
    "studio.account.end_other_sessions": _MEMBER,
    "studio.users.index": _USERS,
    "studio.users.invite": _USERS,
    "studio.users.change_role": _USERS,
    "studio.users.disable": _USERS,
    "studio.users.enable": _USERS,
    "studio.users.make_reset_link": _USERS,
    "studio.posts.index": _LIST,
    "studio.posts.begin": _CREATE,
    "studio.posts.show": _EDIT,
    "studio.posts.find": _LIST,
    "studio.posts.edit": _EDIT,
    "studio.posts.unpublish": _PUBLISH,
    "studio.posts.archive": _PUBLISH,
    "studio.posts.rename": _SAVE,
    "studio.copies.edit": _EDIT,
    "studio.copies.save": _EDIT,
    "studio.copies.discard": _EDIT,
    "studio.copies.review": _REVIEW,
    "studio.copies.compare": _EDIT,
    "studio.copies.resolve": _EDIT,
    "studio.copies.discard_fork": _EDIT,
    "studio.copies.newer": _EDIT,
    "studio.copies.rebase": _EDIT,
    "studio.copies.presence": _EDIT,
    "studio.copies.report_presence": _EDIT,
    "studio.revisions.index": _EDIT,
    "studio.revisions.compare": _EDIT,
    "studio.revisions.restore": _EDIT,
    "studio.previews.show": _EDIT,
    "studio.previews.render": _EDIT,
    "studio.previews.create": _EDIT,
    "studio.previews.revoke": _EDIT,
    "studio.publishing.plan": _PUBLISH,
    "studio.publishing.plan_json": _PUBLISH,
    "studio.publishing.save": _SAVE,
    "studio.publishing.publish": _PUBLISH,
    "studio.publishing.schedule": _PUBLISH,
    "studio.publishing.show": _LIST,
    "studio.publishing.progress": _LIST,
    "studio.settings.show": _SETTINGS,
    "studio.settings.save": _SETTINGS,
    "studio.redirects.index": _REDIRECTS,
    "studio.redirects.add": _REDIRECTS,
    "studio.redirects.delete": _REDIRECTS,
    "studio.authors.index": _AUTHORS,
    "studio.authors.create": _AUTHORS,
    "studio.authors.show": _AUTHORS,
    "studio.authors.save": _AUTHORS,
    "studio.topics.index": _NEW_TOPIC,
    "studio.topics.create": _NEW_TOPIC,
    "studio.topics.show": _TOPICS,
    "studio.topics.save": _TOPICS,
    "studio.topics.merge": _MERGE,
    "studio.menu.show": _PAGES,
    "studio.menu.arrange": _PAGES,
    "studio.media.index": _LIST,
    "studio.media.upload": _UPLOAD,
}
"""The rule of each endpoint."""
