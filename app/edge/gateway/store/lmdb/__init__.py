"""The parts of the LMDB store: its folder, its environment, its records, its queue."""


class InvalidStoreError(Exception):
    """The store is torn, foreign or from another boot: throw it away."""
