"""People for tests of the studio: users of each role, and the actors that act for them."""

from __future__ import annotations

from datetime import UTC, datetime

from app.publishing.models import Role, User
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def hire(name: str, role: Role = Role.EDITOR) -> Actor:
    """Add a user of this name and role; return the actor for them."""
    with transaction() as session:
        user = User(email=f"{name.lower()}@example.com", name=name, role=role, created_at=BEGAN)
        session.add(user)
        session.flush()
        return Actor(user_id=user.id, role=role, name=name)
