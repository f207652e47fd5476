"""Delete a redirect; its old path is answered with 404 from then on."""

from __future__ import annotations

from app.publishing.errors import Missing
from app.publishing.models import Redirect
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def delete_redirect(redirect_id: int, *, actor: Actor) -> None:
    """Delete the redirect. Raises Forbidden, or Missing if it is deleted already."""
    with transaction() as session:
        permit(session, actor, Verb.EDIT_REDIRECTS)
        redirect = session.get(Redirect, redirect_id, with_for_update=True, populate_existing=True)
        if redirect is None:
            raise Missing("This redirect does not exist; it may have been deleted already.")
        session.delete(redirect)
