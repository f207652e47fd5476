"""Standby: a web process without a relay delivers purges while no relay is alive."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from ..changes.outage import is_logged
from ..purge.heartbeat import HEARTBEAT_INTERVAL

if TYPE_CHECKING:
    from .worker import PurgeWorker

_log = logging.getLogger(__name__)


def stand_by(worker: PurgeWorker, *, pause: Callable[[float], None] = time.sleep) -> Thread:
    """Check the relay's heartbeat in a thread that ends with the app; return the thread."""
    thread = Thread(target=_watch, args=(ref(worker), pause), daemon=True)
    thread.start()
    return thread


def _watch(worker_ref: ReferenceType[PurgeWorker], pause: Callable[[float], None]) -> None:
    failed = False
    while True:
        pause(HEARTBEAT_INTERVAL.total_seconds())
        worker = worker_ref()
        if worker is None:
            return
        try:
            worker.stand_in()
            failed = False
        except Exception as error:  # noqa: BLE001 - the database may become available again
            if not failed and not is_logged(error):  # only the first failure
                reason = str(error).partition("\n")[0]
                _log.warning("edge.standby_failed: %s", reason, extra={"reason": reason})
            failed = True
        del worker
