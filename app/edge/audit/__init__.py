"""Audit a live site from outside and report what its caches do."""

from __future__ import annotations

from .audit import AuditOptions, check_site
from .findings import AuditFinding, FindingLevel, FindingType
from .prober import AuditLimits
from .report import AuditReport
from .site_address import AuditError
from .site_profile import SiteProfile
from .watch import watch_site

__all__ = [
    "AuditError",
    "AuditFinding",
    "AuditLimits",
    "AuditOptions",
    "AuditReport",
    "FindingLevel",
    "FindingType",
    "SiteProfile",
    "check_site",
    "watch_site",
]
