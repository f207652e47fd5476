"""Build the embedded gateway of a Flask app from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..gateway.file_collapsing import FileCollapser
from ..gateway.gateway import Gateway
from ..gateway.options import INTERNAL, Options
from ..gateway.refill import Refill
from ..gateway.sites import Sites
from ..gateway.store.lmdb.store import LmdbStore
from ..http.cache_key import TRACKERS
from ..policy.policy import SettingError
from ..purge.file_leader import FileLeader
from ..purge.lease import GatewayLease
from ..settings import read_folder, read_number, read_optional_bool
from .state import state_of
from .static import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask

    from ..policy.cdn_headers import Dialect
    from .state import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedGateway:
    """A gateway with its store, the store's folder, and the refill of purged pages."""

    gateway: Gateway
    store: LmdbStore
    folder: str
    lease: GatewayLease
    sites: Sites
    refill: Refill | None = None


#: At a thousand hits a second, checking the folder at each hit costs more than the lookup itself.
RECHECK = timedelta(milliseconds=5)


def build_gateway(
    app: Flask,
    dialects: Iterable[Dialect],
    clock: Clock,
    cap_level: Callable[[bool], str],
    changes: Mapping[str, Any],
) -> EmbeddedGateway:
    """Build the gateway around the current `app.wsgi_app`.

    Header fields of the dialects of outer edges are passed on; the gateway removes other internal
    fields.
    """
    edge_field_names = {
        name.lower()
        for d in dialects
        if not d.is_purged_synchronously
        for name in (*d.fields, d.tags)
        if name
    }
    size = read_number(app.config, "EDGE_STORE_SIZE")
    entry = read_number(app.config, "EDGE_STORE_ENTRY")
    options: dict[str, Any] = {
        "internal_fields": INTERNAL - edge_field_names,
        "cap_level": cap_level,
        "ignored_parameters": TRACKERS,
        "max_body_size": entry,
        "is_encoded_by_origin": _precompressed_paths(app),
        "bypasses": lambda _path: _is_bypassed(app),
    }
    refills = read_optional_bool(app.config, "EDGE_REFILL")
    folder = read_folder(app.config, "EDGE_STORE", parent=app.instance_path)
    try:
        store = LmdbStore(
            folder, max_bytes=size, max_entry=entry, recheck=RECHECK, refill=bool(refills)
        )
    except ValueError as error:
        raise SettingError(
            "{} is {size}: {error}", "EDGE_STORE_SIZE", size=size, error=error
        ) from None
    lease = GatewayLease(store)
    gateway = Gateway(
        app.wsgi_app,
        store=store,
        options=Options.shield(**{**options, "receives_purges": lease, **changes}),
        collapser=FileCollapser(folder),
        clock=lambda: clock().timestamp(),
    )
    # One process per store refills it: on each machine, whichever process is the relay.
    leads = FileLeader(folder / "refill").try_lead
    return EmbeddedGateway(
        gateway=gateway,
        store=store,
        folder=str(folder.resolve()),
        lease=lease,
        sites=Sites(store),
        refill=Refill(gateway, store, is_leader=leads) if refills else None,
    )


def _is_bypassed(app: Flask) -> bool:
    """Return whether stored pages may be outdated.

    In debug mode templates and code change while the process runs. Without the tables of the
    library, this process does not know which changes were written since its pages were stored.
    """
    gate = state_of(app).startup_gate
    return app.debug or (gate is not None and bool(gate.fault))


def _precompressed_paths(app: Flask) -> Callable[[str], bool] | None:
    """Return a test for paths of static files, which are compressed ahead at a higher level."""
    if not (StaticFiles.is_installed(app) and app.static_url_path):
        return None
    folder = f"{app.static_url_path.rstrip('/')}/"
    return lambda path: path.startswith(folder)
