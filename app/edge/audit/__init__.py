"""Audit a live site from outside and report what its caches do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .audit import AuditOptions, check_site
    from .findings import AuditFinding, FindingLevel, FindingType
    from .prober import AuditLimits
    from .report import AuditReport
    from .site_address import AuditError
    from .site_profile import SiteProfile
    from .watch import watch_site
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "AuditError": "site_address",
            "AuditFinding": "findings",
            "AuditLimits": "prober",
            "AuditOptions": "audit",
            "AuditReport": "report",
            "FindingLevel": "findings",
            "FindingType": "findings",
            "SiteProfile": "site_profile",
            "check_site": "audit",
            "watch_site": "watch",
        },
    )

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
