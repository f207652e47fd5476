"""Each edge's configuration, made from the routes of the app: a plan in, text out."""

from __future__ import annotations

from .plan import Origin, Plan, Rule

__all__ = ["Origin", "Plan", "Rule"]
