"""The names of authors and topics, for the fields of the editor."""

from __future__ import annotations

from app.publishing.models import Author, Topic
from app.publishing.queries import working_copies

from .forms import Names


def load_names() -> Names:
    """Return the names of all authors and topics."""
    return Names(authors=working_copies.names_of(Author), topics=working_copies.names_of(Topic))
