"""Which settings each driver needs, and why a driver can't be built without them.

`settings.py` declares the settings, with their defaults and help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..policy.policy import SettingError
from .settings import CDN_SETTINGS

_SETTINGS = {setting.name: setting for setting in CDN_SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """The settings of one driver.

    `required`: set all of them or none (then there is no driver). `required_shared`: also
    required, but may be set for other tools, such as `AWS_ACCESS_KEY_ID`.
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
"""The settings of each edge's driver, by the name of the edge in `EDGE`."""


def read_driver_settings(name: str, config: Mapping[str, object]) -> dict[str, str] | None:
    """Return the values of a driver's settings; None if its required settings are not set.

    Raises SettingError if only some of them are set, or if a value can't be sent in a header field.
    """
    keys = DRIVER_SETTINGS[name]
    values = {key: _setting_text(config, key) for key in keys.all}
    if not any(values[key] for key in keys.required):
        return None
    missing = [key for key in (*keys.required, *keys.required_shared) if not values[key]]
    if missing:
        present = next(key for key in keys.required if values[key])
        names = " and ".join("{}" for _ in missing)
        raise SettingError(
            "{} is set, but " + names + " is not: set both or neither.", present, *missing
        )
    for key in keys.all:
        if _SETTINGS[key].secret and not re.fullmatch(r"[\x20-\x7e]*", values[key]):
            raise SettingError(
                "{} contains characters that are not allowed in a key: copy it again.", key
            )
    return values


def why_not_purgeable(name: str, config: Mapping[str, object]) -> str | None:
    """Return a sentence that says why an edge can't be purged; None if it can."""
    if name not in DRIVER_SETTINGS:
        return f"{name}: there is no driver of this name."
    keys = DRIVER_SETTINGS[name]
    if not keys.required:
        return (
            f"{name}: the open-source build can't be purged, so pages stay there until their "
            "TTL ends, which is at most EDGE_TTL_CAP."
        )
    if read_driver_settings(name, config) is None:
        verb = "is" if len(keys.required) == 1 else "are"
        return f"{name}: it can't be purged until {' and '.join(keys.required)} {verb} set."
    return None


def _setting_text(config: Mapping[str, object], key: str) -> str:
    value = config.get(key)
    return str(_SETTINGS[key].default if value is None else value).strip()
