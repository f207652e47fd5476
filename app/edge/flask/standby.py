"""Standing by: a web process that relays nothing delivers all the same while no relay is alive."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from ..purge.heartbeat import BEAT

if TYPE_CHECKING:
    from .worker import PurgeWorker

_log = logging.getLogger(__name__)


def stand_by(upkeep: PurgeWorker, *, pause: Callable[[float], None] = time.sleep) -> Thread:
    """Watch the relay's heartbeat in a thread that ends with the app; return the thread."""
    thread = Thread(target=_watch, args=(ref(upkeep), pause), daemon=True)
    thread.start()
    return thread


def _watch(worker_ref: ReferenceType[PurgeWorker], pause: Callable[[float], None]) -> None:
    failed = False
    while True:
        pause(BEAT.total_seconds())
        upkeep = worker_ref()
        if upkeep is None:
            return
        try:
            upkeep.stand_in()
            failed = False
        except Exception as error:  # noqa: BLE001 - a database that is away comes back
            if not failed:  # once, however long it lasts
                reason = str(error).partition("\n")[0]
                _log.warning("edge.standby_failed: %s", reason, extra={"reason": reason})
            failed = True
        del upkeep
