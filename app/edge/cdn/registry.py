"""Build the drivers of the edges from an app's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from ..policy.policy import PolicyError
from .base import Driver
from .driver_settings import DRIVER_SETTINGS, read_driver_settings

if TYPE_CHECKING:
    import httpx

MakeDriver = Callable[..., Driver]


def build_driver(
    name: str,
    config: Mapping[str, object],
    *,
    site: str,
    client: httpx.Client | None = None,
) -> Driver | None:
    """Return the driver of an edge, or None if it can't be purged (see `why_not_purgeable`).

    `site` is the public base URL of the pages. Raises PolicyError for a name without a driver and
    for invalid settings.
    """
    if name not in DRIVER_SETTINGS:
        names = ", ".join(sorted(DRIVER_SETTINGS))
        raise PolicyError(f"{name!r} is not an edge with a driver. Known edges: {names}.")
    values = read_driver_settings(name, config)
    if values is None:
        return None
    # Import only the driver that is needed.
    make: MakeDriver = import_module(f".{name}", __package__).make_driver
    return make(values, site=site.rstrip("/"), client=client)
