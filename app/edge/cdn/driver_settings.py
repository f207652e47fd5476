"""What each driver reads from an app's configuration, and what it means when that is missing.

The settings themselves stand in `settings.py` beside it, with their defaults and their help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..policy.policy import PolicyError
from .settings import CDN_SETTINGS

_SETTINGS = {setting.name: setting for setting in CDN_SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """The settings of one driver.

    `needed` are those without which there is no driver; they are said together or not at all.
    `shared` are needed too, and may have been said for other programs.
    """

    required: tuple[str, ...] = ()
    required_shared: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every setting that the driver reads."""
        return (*self.required, *self.required_shared, *self.optional)


DRIVER_SETTINGS: Mapping[str, DriverSettings] = MappingProxyType(
    {
        "cloudflare": DriverSettings(
            required=("EDGE_CLOUDFLARE_TOKEN", "EDGE_CLOUDFLARE_ZONE"),
            optional=("EDGE_CLOUDFLARE_PLAN", "EDGE_CLOUDFLARE_BY"),
        ),
        "fastly": DriverSettings(
            required=("EDGE_FASTLY_TOKEN", "EDGE_FASTLY_SERVICE"),
        ),
        "cloudfront": DriverSettings(
            required=("EDGE_CLOUDFRONT_DISTRIBUTION",),
            required_shared=("EDGE_CLOUDFRONT_KEY", "EDGE_CLOUDFRONT_SECRET"),
            optional=("EDGE_CLOUDFRONT_SESSION", "EDGE_CLOUDFRONT_BY"),
        ),
        "bunny": DriverSettings(
            required=("EDGE_BUNNY_KEY", "EDGE_BUNNY_ZONE"),
        ),
        "varnish": DriverSettings(
            required=("EDGE_VARNISH_NODES", "EDGE_VARNISH_SECRET"),
        ),
        "nginx": DriverSettings(),
        "generic": DriverSettings(
            required=("EDGE_PURGE_URL",),
            optional=(
                "EDGE_PURGE_METHOD",
                "EDGE_PURGE_HEADER",
                "EDGE_PURGE_SECRET",
                "EDGE_PURGE_ALL",
            ),
        ),
    },
)


def read_driver_settings(name: str, config: Mapping[str, object]) -> dict[str, str] | None:
    """What the configuration says to a driver; None when it says nothing that makes one.

    Raises PolicyError where half of it is said, or what can't stand in a header field.
    """
    keys = DRIVER_SETTINGS[name]
    values = {key: _setting_text(config, key) for key in keys.all}
    if not any(values[key] for key in keys.required):
        return None
    missing = [key for key in (*keys.required, *keys.required_shared) if not values[key]]
    if missing:
        present = next(key for key in keys.required if values[key])
        raise PolicyError(
            f"{present} is set, but {' and '.join(missing)} is not: say both or none."
        )
    for key in keys.all:
        if _SETTINGS[key].secret and not re.fullmatch(r"[\x20-\x7e]*", values[key]):
            raise PolicyError(f"{key} has characters that no key has: copy it once more.")
    return values


def why_not_purgeable(name: str, config: Mapping[str, object]) -> str | None:
    """Say in a sentence why an edge can't be purged; None when it can."""
    if name not in DRIVER_SETTINGS:
        return f"{name}: there is no driver of this name."
    keys = DRIVER_SETTINGS[name]
    if not keys.required:
        return (
            f"{name}: the open-source build can't be purged, so pages stay there until their "
            "time is over, and get no more than EDGE_TTL_CAP."
        )
    if read_driver_settings(name, config) is None:
        verb = "is" if len(keys.required) == 1 else "are"
        return f"{name}: it can't be purged before {' and '.join(keys.required)} {verb} set."
    return None


def _setting_text(config: Mapping[str, object], key: str) -> str:
    value = config.get(key)
    return str(_SETTINGS[key].default if value is None else value).strip()
