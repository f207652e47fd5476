"""The parts of the LMDB store: its folder, its environment, its records, its queue."""


class UnsoundError(Exception):
    """The store is torn, foreign or from another boot: throw it away."""
