"""What each driver reads from an app's configuration, and what it means when that is missing.

The settings themselves stand in `settings.py` beside it, with their defaults and their help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..policy.policy import PolicyError
from .settings import VENDORS

_SETTINGS = {setting.name: setting for setting in VENDORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The settings of one driver.

    `needed` are those without which there is no driver; they are said together or not at all.
    `shared` are needed too, and may have been said for other programs.
    """

    needed: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    wished: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every setting that the driver reads."""
        return (*self.needed, *self.shared, *self.wished)


KEYS: Mapping[str, Keys] = MappingProxyType(
    {
        "cloudflare": Keys(
            needed=("EDGE_CLOUDFLARE_TOKEN", "EDGE_CLOUDFLARE_ZONE"),
            wished=("EDGE_CLOUDFLARE_PLAN", "EDGE_CLOUDFLARE_BY"),
        ),
        "fastly": Keys(
            needed=("EDGE_FASTLY_TOKEN", "EDGE_FASTLY_SERVICE"),
        ),
        "cloudfront": Keys(
            needed=("EDGE_CLOUDFRONT_DISTRIBUTION",),
            shared=("EDGE_CLOUDFRONT_KEY", "EDGE_CLOUDFRONT_SECRET"),
            wished=("EDGE_CLOUDFRONT_SESSION", "EDGE_CLOUDFRONT_BY"),
        ),
        "bunny": Keys(
            needed=("EDGE_BUNNY_KEY", "EDGE_BUNNY_ZONE"),
        ),
        "varnish": Keys(
            needed=("EDGE_VARNISH_NODES", "EDGE_VARNISH_SECRET"),
        ),
        "nginx": Keys(),
        "generic": Keys(
            needed=("EDGE_PURGE_URL",),
            wished=(
                "EDGE_PURGE_METHOD",
                "EDGE_PURGE_HEADER",
                "EDGE_PURGE_SECRET",
                "EDGE_PURGE_ALL",
            ),
        ),
    },
)


def said(name: str, config: Mapping[str, object]) -> dict[str, str] | None:
    """What the configuration says to a driver; None when it says nothing that makes one.

    Raises PolicyError where half of it is said, or what can't stand in a header field.
    """
    keys = KEYS[name]
    values = {key: _text(config, key) for key in keys.all}
    if not any(values[key] for key in keys.needed):
        return None
    missing = [key for key in (*keys.needed, *keys.shared) if not values[key]]
    if missing:
        found = next(key for key in keys.needed if values[key])
        raise PolicyError(f"{found} is set, but {' and '.join(missing)} is not: say both or none.")
    for key in keys.all:
        if _SETTINGS[key].secret and not re.fullmatch(r"[\x20-\x7e]*", values[key]):
            raise PolicyError(f"{key} has characters that no key has: copy it once more.")
    return values


def why_not(name: str, config: Mapping[str, object]) -> str | None:
    """Say in a sentence why an edge can't be purged; None when it can."""
    if name not in KEYS:
        return f"{name}: there is no driver of this name."
    keys = KEYS[name]
    if not keys.needed:
        return (
            f"{name}: the open-source build can't be purged, so pages stay there until their "
            "time is over, and get no more than EDGE_TTL_CAP."
        )
    if said(name, config) is None:
        verb = "is" if len(keys.needed) == 1 else "are"
        return f"{name}: it can't be purged before {' and '.join(keys.needed)} {verb} set."
    return None


def _text(config: Mapping[str, object], key: str) -> str:
    found = config.get(key)
    return str(_SETTINGS[key].default if found is None else found).strip()
