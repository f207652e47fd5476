"""The settings of the CDN drivers, generated from the table of the library."""

from __future__ import annotations

from app.edge.drivers.settings import VENDORS

from .parsers import text
from .setting import Setting

_PLATFORM = {
    "EDGE_CLOUDFRONT_KEY": "AWS_ACCESS_KEY_ID",
    "EDGE_CLOUDFRONT_SECRET": "AWS_SECRET_ACCESS_KEY",
    "EDGE_CLOUDFRONT_SESSION": "AWS_SESSION_TOKEN",
}
"""The variables from which the tools of AWS read the same values."""

SETTINGS = tuple(
    Setting(
        name=vendor.name,
        parser=text,
        default=str(vendor.default),
        unit=vendor.unit,
        help=f"{vendor.help[0].upper()}{vendor.help[1:]}.",
        secret=vendor.secret,
        platform=_PLATFORM.get(vendor.name, ""),
    )
    for vendor in VENDORS
)
