"""Who may do what: one table of role, verb and whose post it is.

The actions enforce it: each takes a required `actor` and calls `permit` in its transaction. The
documentation and the tests are made from the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .errors import Forbidden, Missing
from .models import Kind, Ownership, Post, Role, Status, User

SYSTEM_NAME = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The user of an action. It is a value, so that no transaction expires it."""

    user_id: int | None
    role: Role
    name: str

    def __post_init__(self) -> None:
        if self.user_id is None and (self.role, self.name) != (Role.OWNER, SYSTEM_NAME):
            raise ValueError("an actor without a user can only be SYSTEM")

    @property
    def is_system(self) -> bool:
        """Whether it is SYSTEM: the command line, the importer or the relay."""
        return self.user_id is None


SYSTEM = Actor(user_id=None, role=Role.OWNER, name=SYSTEM_NAME)
"""The actor of the command line, the importer and the relay."""


class Verb(StrEnum):
    """What an action does, as far as permissions differ."""

    LIST_POSTS = "see posts in the list"
    CREATE_POST = "create a post"
    EDIT_COPY = "edit a working copy, preview it, restore a revision into it"
    SAVE_DRAFT = "save a draft"
    REQUEST_REVIEW = "ask for a review"
    PUBLISH = "publish, update, schedule, unpublish, archive, move"
    UPLOAD_MEDIA = "upload images and files"
    DESCRIBE_MEDIA = "edit alt text and credit"
    REPLACE_MEDIA = "replace and delete media"
    CREATE_TOPIC = "create a topic"
    EDIT_TOPICS = "edit topics"
    MERGE_TOPICS = "merge topics"
    EDIT_AUTHORS = "edit authors"
    EDIT_REDIRECTS = "edit redirects"
    EDIT_PAGES = "edit pages and the menu"
    SAVE_SITE = "change the settings of the site, render posts again"
    MANAGE_USERS = "manage users and end their sessions"
    IMPORT = "import"
    EXPORT = "export"
    SEE_EDGE = "see the edge panel"
    PURGE_PAGE = "purge a page, retry a dead letter"
    PURGE_EVERYTHING = "purge everything"
    RUN_JOBS = "publish the posts that are due, index posts for search"


class Scope(StrEnum):
    """The subjects to which a permission applies."""

    NONE = "no"
    OWN = "own"
    OWN_OR_PUBLIC = "own and published"
    ALL = "yes"


_WRITER: Mapping[Verb, Scope] = {
    Verb.LIST_POSTS: Scope.OWN_OR_PUBLIC,
    Verb.CREATE_POST: Scope.ALL,
    Verb.EDIT_COPY: Scope.OWN,
    Verb.SAVE_DRAFT: Scope.OWN,
    Verb.REQUEST_REVIEW: Scope.OWN,
    Verb.UPLOAD_MEDIA: Scope.ALL,
    Verb.DESCRIBE_MEDIA: Scope.OWN,
    Verb.CREATE_TOPIC: Scope.ALL,
    Verb.SEE_EDGE: Scope.ALL,
}
_OWNER_ALONE = {
    Verb.SAVE_SITE,
    Verb.MANAGE_USERS,
    Verb.IMPORT,
    Verb.EXPORT,
    Verb.PURGE_EVERYTHING,
}
_SYSTEM_ALONE = {Verb.RUN_JOBS}

PERMISSIONS: Mapping[Role, Mapping[Verb, Scope]] = {
    Role.WRITER: {verb: _WRITER.get(verb, Scope.NONE) for verb in Verb},
    Role.EDITOR: {
        verb: Scope.NONE if verb in _OWNER_ALONE | _SYSTEM_ALONE else Scope.ALL for verb in Verb
    },
    Role.OWNER: {verb: Scope.NONE if verb in _SYSTEM_ALONE else Scope.ALL for verb in Verb},
}
"""What each role may do. SYSTEM may do everything."""

_COPY_VERBS = {Verb.EDIT_COPY, Verb.REQUEST_REVIEW}
"""Their subject is a working copy, which is invisible to a writer who does not own it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a verb applies to: who owns it, and whether readers see it."""

    owner_id: int | None
    is_public: bool = False


class Decision(StrEnum):
    """The answer to a request for permission."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    INVISIBLE = "invisible"


def decide(role: Role, user_id: int, verb: Verb, subject: Subject | None = None) -> Decision:
    """Decide whether a user with this role may do this, to this subject if there is one."""
    scope = PERMISSIONS[role][verb]
    if scope is Scope.ALL:
        return Decision.ALLOWED
    is_own = subject is not None and subject.owner_id == user_id
    is_public = subject is not None and subject.is_public
    if is_own:
        return Decision.FORBIDDEN if scope is Scope.NONE else Decision.ALLOWED
    if scope is Scope.OWN_OR_PUBLIC and is_public:
        return Decision.ALLOWED
    if subject is None or (_is_visible(role, subject) and verb not in _COPY_VERBS):
        return Decision.FORBIDDEN
    return Decision.INVISIBLE


def _is_visible(role: Role, subject: Subject) -> bool:
    return PERMISSIONS[role][Verb.LIST_POSTS] is Scope.ALL or subject.is_public


def permit(
    session: Session, actor: Actor, verb: Verb, subject: Post | Subject | None = None
) -> None:
    """Return if the actor may do this; call it inside the action's transaction.

    The role and the account's state are read again, since the actor was made earlier. Raises
    Forbidden, or Missing if the actor may not even know of the subject.
    """
    if actor.is_system:
        return
    assert actor.user_id is not None
    role = find_role(session, actor.user_id)
    if isinstance(subject, Post):
        subject = describe_post(session, subject)
    match decide(role, actor.user_id, verb, subject):
        case Decision.INVISIBLE:
            raise Missing("The post does not exist; it may have been deleted.")
        case Decision.FORBIDDEN:
            raise Forbidden(f"Your role is {role}; it does not let you {verb}.")
        case Decision.ALLOWED:
            return


def find_role(session: Session, user_id: int) -> Role:
    """Return the role that the user has now; raises Forbidden for a disabled account."""
    row = session.execute(sa.select(User.role, User.active).where(User.id == user_id)).one_or_none()
    if row is None or not row.active:
        raise Forbidden("This account is disabled. Ask an owner to enable it.")
    role: Role = row.role
    return role


def describe_post(session: Session, post: Post) -> Subject:
    """Return the owner of a post, and whether readers see it."""
    owner_id = session.scalar(sa.select(Ownership.user_id).where(Ownership.post_id == post.id))
    return Subject(owner_id=owner_id, is_public=post.status is Status.PUBLISHED)


def verb_for_new_post(kind: Kind) -> Verb:
    """Return what creating a post of this kind needs."""
    return Verb.EDIT_PAGES if kind is Kind.PAGE else Verb.CREATE_POST


def verb_for_save(post: Post) -> Verb:
    """Return what saving the text of this post needs."""
    if post.kind is Kind.PAGE:
        return Verb.EDIT_PAGES
    return Verb.SAVE_DRAFT if post.status is Status.DRAFT else Verb.PUBLISH


def verb_for_move(post: Post) -> Verb:
    """Return what changing the slug of this post needs: readers may know the address."""
    is_private = post.status is Status.DRAFT and post.first_published_at is None
    return verb_for_save(post) if is_private else verb_for_status(post)


def verb_for_status(post: Post) -> Verb:
    """Return what changing the status of this post needs."""
    return Verb.EDIT_PAGES if post.kind is Kind.PAGE else Verb.PUBLISH


def format_table() -> str:
    """Return the permissions as a Markdown table, for the documentation."""
    roles = tuple(PERMISSIONS)
    lines = [
        f"| action | {' | '.join(roles)} |",
        f"|---|{'---|' * len(roles)}",
        *(
            f"| {verb} | {' | '.join(PERMISSIONS[role][verb] for role in roles)} |"
            for verb in Verb
            if verb not in _SYSTEM_ALONE
        ),
    ]
    return "\n".join(lines)
