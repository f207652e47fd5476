"""The one policy of the studio."""

from __future__ import annotations

from app.edge import Policy

STUDIO = Policy(name="STUDIO", no_store=True, private=True)
"""No response of the studio is stored, by any cache."""
