"""A process with a relay that runs until it is killed: `python -m …relay_child URL FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

from app.edge.purge import Relay

from .conftest import connect
from .crash_child import edges

if __name__ == "__main__":
    engine = connect(sys.argv[1])
    Relay(engine, edges(connect(sys.argv[1]), Path(sys.argv[2]))).run(Event())
