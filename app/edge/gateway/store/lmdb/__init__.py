"""The parts of the LMDB store: folder, environment, entries and refill queue."""


class InvalidStoreError(Exception):
    """The store is damaged, foreign or from another boot: it must be discarded."""
