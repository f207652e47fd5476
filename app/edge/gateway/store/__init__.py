"""Stores for responses of the gateway: in memory and in LMDB."""
