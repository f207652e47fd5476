"""What the drivers of the edges read, as settings of the site: the library's own table, again."""

from __future__ import annotations

from app.edge.drivers.settings import VENDORS

from .parsers import text
from .setting import Setting

_PLATFORM = {
    "EDGE_CLOUDFRONT_KEY": "AWS_ACCESS_KEY_ID",
    "EDGE_CLOUDFRONT_SECRET": "AWS_SECRET_ACCESS_KEY",
    "EDGE_CLOUDFRONT_SESSION": "AWS_SESSION_TOKEN",
}
"""The variables by which the tools of AWS read the same."""

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
