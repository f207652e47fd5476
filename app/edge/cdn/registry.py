"""From an app's configuration to the drivers of its edges."""

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
    """The driver of an edge, or None when it can't be purged; `why_not` says why in a sentence.

    `site` is the address under which readers find the pages. Raises PolicyError for a name that
    no driver has, and for settings that can't be right.
    """
    if name not in DRIVER_SETTINGS:
        names = ", ".join(sorted(DRIVER_SETTINGS))
        raise PolicyError(f"{name!r} is no edge that has a driver. Known ones: {names}.")
    values = read_driver_settings(name, config)
    if values is None:
        return None
    # A site with one edge need not load the others.
    make: MakeDriver = import_module(f".{name}", __package__).make_driver
    return make(values, site=site.rstrip("/"), client=client)
