"""The theorem, as a walk: random writes through every door, random pages warm at the edge.

After each write no page that the edge keeps differs from a fresh render of the same address.
"""
